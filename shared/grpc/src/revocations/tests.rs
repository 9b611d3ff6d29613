use std::sync::Mutex;

use testkit::eventually;

use super::*;

/// Rounds follow each other closely.
const FAST: Pace = Pace { every: Duration::from_millis(1), patience: Duration::from_millis(10) };

/// Identity as it answers.
#[derive(Default)]
struct Identity {
    mood: Mutex<Mood>,
    revoked: Mutex<Vec<Uuid>>,
    /// Where each answer that was asked for begins.
    asked: Mutex<Vec<Option<i64>>>,
}

#[derive(Clone, Copy, Default)]
enum Mood {
    #[default]
    Answers,
    Refuses,
    Hangs,
}

impl Identity {
    fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn revoke(&self, subject: Uuid) {
        self.revoked.lock().unwrap().push(subject);
    }

    /// Waits until it was asked so many times more.
    async fn asked_again(&self, times: usize) {
        let before = self.asked.lock().unwrap().len();
        eventually("identity is asked again", async || {
            (self.asked.lock().unwrap().len() >= before + times).then_some(())
        })
        .await;
    }
}

#[async_trait]
impl RevocationSource for Identity {
    async fn revocations(
        &self,
        since: Option<Timestamp>,
    ) -> Result<ListRevocationsResponse, Problem> {
        self.asked.lock().unwrap().push(since.map(|time| time.seconds));
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Answers => {}
            Mood::Refuses => return Err(Problem::unavailable("DATABASE_UNAVAILABLE", "no")),
            Mood::Hangs => std::future::pending().await,
        }
        // Only once, so that nothing is known twice.
        let new = std::mem::take(&mut *self.revoked.lock().unwrap());
        let revocations = new.into_iter().map(|subject| revocation(subject, 100)).collect();
        Ok(ListRevocationsResponse { revocations, next_start_time: at(77) })
    }
}

fn at(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos: 0 })
}

fn revocation(subject: Uuid, revoked: i64) -> Revocation {
    let (revoke_time, forget_time) = (at(revoked), at(i64::MAX));
    Revocation { subject_id: subject.to_string(), revoke_time, forget_time }
}

fn claims(sub: Uuid, sid: Option<Uuid>, iat: i64) -> Claims {
    Claims {
        iss: String::new(),
        aud: String::new(),
        sub,
        roles: Vec::new(),
        entitlements: Vec::new(),
        iat,
        exp: iat + 900,
        jti: Uuid::now_v7(),
        sid,
    }
}

/// A list, kept while `test` runs.
async fn following(test: impl AsyncFnOnce(&Identity, &Revocations)) {
    let (identity, revocations) = (Identity::default(), Revocations::default());
    tokio::select! {
        () = test(&identity, &revocations) => {}
        never = revocations.follow(&identity, FAST) => match never {},
    }
}

async fn covered(revocations: &Revocations, session: Uuid) {
    let token = claims(Uuid::now_v7(), Some(session), 50);
    eventually("the session is over", async || revocations.cover(&token).then_some(())).await;
}

#[test]
fn a_session_that_has_ended_is_over_for_all_its_tokens_and_no_others() {
    let (ended, other, user) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let revocations = Revocations::default();
    revocations.learn(&[revocation(ended, 100)]);
    assert!(revocations.cover(&claims(user, Some(ended), 50)));
    assert!(revocations.cover(&claims(user, Some(ended), 150)));
    assert!(!revocations.cover(&claims(user, Some(other), 50)));
    assert!(!revocations.cover(&claims(user, None, 50)));
}

#[test]
fn an_applications_tokens_are_bad_up_to_the_moment_of_revocation() {
    let application = Uuid::now_v7();
    let revocations = Revocations::default();
    revocations.learn(&[revocation(application, 100)]);
    assert!(revocations.cover(&claims(application, None, 100)));
    assert!(!revocations.cover(&claims(application, None, 101)));
}

#[test]
fn what_no_token_can_be_of_any_more_is_forgotten() {
    let (old, new) = (Uuid::now_v7(), Uuid::now_v7());
    let revocations = Revocations::default();
    revocations.learn(&[Revocation { forget_time: at(200), ..revocation(old, 100) }]);
    revocations.learn(&[revocation(new, 100)]);
    assert!(!revocations.cover(&claims(Uuid::now_v7(), Some(old), 50)));
    assert!(revocations.cover(&claims(Uuid::now_v7(), Some(new), 50)));
}

#[tokio::test]
async fn what_is_revoked_comes_with_the_next_answer_which_begins_where_the_last_ended() {
    following(async |identity, revocations| {
        let [first, second] = [Uuid::now_v7(), Uuid::now_v7()];
        identity.revoke(first);
        covered(revocations, first).await;
        identity.revoke(second);
        covered(revocations, second).await;
        covered(revocations, first).await;
        let asked = identity.asked.lock().unwrap();
        assert_eq!((asked[0], asked.last().copied().flatten()), (None, Some(77)));
    })
    .await;
}

#[tokio::test]
async fn while_identity_refuses_or_hangs_the_list_stays_and_nobody_is_kept_waiting() {
    following(async |identity, revocations| {
        let [before, during] = [Uuid::now_v7(), Uuid::now_v7()];
        identity.revoke(before);
        covered(revocations, before).await;
        for mood in [Mood::Refuses, Mood::Hangs] {
            identity.is(mood);
            identity.asked_again(2).await;
            covered(revocations, before).await;
        }
        identity.revoke(during);
        assert!(!revocations.cover(&claims(Uuid::now_v7(), Some(during), 50)));
        identity.is(Mood::Answers);
        covered(revocations, during).await;
    })
    .await;
}

#[tokio::test]
async fn once_is_enough_to_begin_with_whatever_the_answer_is() {
    for mood in [Mood::Answers, Mood::Refuses, Mood::Hangs] {
        let (identity, revocations, ended) =
            (Identity::default(), Revocations::default(), Uuid::now_v7());
        identity.is(mood);
        identity.revoke(ended);
        tokio::select! {
            () = revocations.asked() => {}
            never = revocations.follow(&identity, FAST) => match never {},
        }
        let known = revocations.cover(&claims(Uuid::now_v7(), Some(ended), 50));
        assert_eq!(known, matches!(mood, Mood::Answers));
    }
}
