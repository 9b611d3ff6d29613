//! Dead letters by gRPC, for operators: parse, ask, convert. Everything else is done
//! by `events`, alike for every service that consumes facts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use events::{DeadLetterQueue, DeadLetters, DeadLettersError, Letter, Redrive, Redriven};
use grpc::convert::timestamp;
use grpc::{Caller, Problem};
use proto::notifications::v1 as pb;
use proto::notifications::v1::dead_letter_service_server::DeadLetterService;
use tonic::{Request, Response, Status};

/// How long letters are moved: within the method's deadline, with time to begin and
/// to answer.
const MOVING: Duration = Duration::from_secs(8);

/// Serves dead letters to operators.
pub struct DeadLettersApi {
    dead_letters: Arc<DeadLetters>,
}

impl DeadLettersApi {
    pub fn new(dead_letters: Arc<DeadLetters>) -> Self {
        Self { dead_letters }
    }
}

#[tonic::async_trait]
impl DeadLetterService for DeadLettersApi {
    async fn list_dead_letters(
        &self,
        request: Request<pb::ListDeadLettersRequest>,
    ) -> Result<Response<pb::ListDeadLettersResponse>, Status> {
        let pb::ListDeadLettersRequest { topic, peek } = request.into_inner();
        let topic = Some(topic.as_str()).filter(|topic| !topic.is_empty());
        let peek = usize::try_from(peek).unwrap_or(0);
        let queues = self.dead_letters.list(topic, peek).await.map_err(problem)?;
        let queues = queues.into_iter().map(queue).collect();
        Ok(Response::new(pb::ListDeadLettersResponse { queues }))
    }

    async fn redrive_dead_letters(
        &self,
        request: Request<pb::RedriveDeadLettersRequest>,
    ) -> Result<Response<pb::RedriveDeadLettersResponse>, Status> {
        let actor = Caller::user_of(&request)?.id;
        let pb::RedriveDeadLettersRequest { topic, reason: why } = request.into_inner();
        let redrive = Redrive { actor, why, until: Instant::now() + MOVING };
        let redriven = self.dead_letters.redrive(&topic, &redrive).await.map_err(problem)?;
        let Redriven { moved, left } = redriven;
        let answer = pb::RedriveDeadLettersResponse { redriven: moved.into(), left: left.into() };
        Ok(Response::new(answer))
    }
}

fn queue(queue: DeadLetterQueue) -> pb::DeadLetterQueue {
    let DeadLetterQueue { topic, count, letters } = queue;
    let letters = letters.into_iter().map(letter).collect();
    pb::DeadLetterQueue { topic: topic.to_owned(), count: count.into(), letters }
}

fn letter(letter: Letter) -> pb::DeadLetter {
    let Letter { event_id, key, reason, attempts, time } = letter;
    let (attempts, event_time) = (i32::try_from(attempts).unwrap_or(i32::MAX), time.map(timestamp));
    pb::DeadLetter { event_id, key, reason, attempts, event_time }
}

fn problem(error: DeadLettersError) -> Problem {
    match error {
        DeadLettersError::UnknownTopic { .. } => {
            Problem::not_found("TOPIC_NOT_FOUND", "this workload does not consume such a topic")
        }
        DeadLettersError::Broker(cause) => {
            tracing::warn!(error = format!("{cause:#}"), "no broker for dead letters (AMQP_URL)");
            Problem::unavailable("BROKER_UNAVAILABLE", "try again in a moment")
        }
        DeadLettersError::Database(cause) if postgres::is_outage(&cause) => {
            tracing::warn!(error = %cause, "the database does not answer (DATABASE_URL)");
            Problem::unavailable("DATABASE_UNAVAILABLE", "try again in a moment")
        }
        DeadLettersError::Database(cause) => Problem::internal(cause),
    }
}
