//! A mail server that keeps what it gets and refuses what it is told to.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const READY: &str = "220 test server";
const FINE: &str = "250 fine";

/// A running mail server; it ends with the value.
pub struct Smtp {
    addr: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

struct State {
    received: Mutex<Vec<Received>>,
    greeting: Mutex<&'static str>,
    /// Answers to the next recipients; none left: the last of all.
    recipients: Mutex<VecDeque<&'static str>>,
    always: Mutex<&'static str>,
    connections: AtomicUsize,
    /// While true, whoever has handed a mail over waits for the answer.
    silent: watch::Sender<bool>,
}

impl Smtp {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let state = Arc::new(State {
            received: Mutex::default(),
            greeting: Mutex::new(READY),
            recipients: Mutex::default(),
            always: Mutex::new(FINE),
            connections: AtomicUsize::new(0),
            silent: watch::Sender::new(false),
        });
        let task = tokio::spawn(serve(listener, state.clone()));
        Self { addr, state, task }
    }

    pub fn url(&self) -> String {
        format!("smtp://{}", self.addr)
    }

    /// What was handed over so far.
    pub fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap().clone()
    }

    /// What was handed over with this subject.
    pub fn with_subject(&self, subject: &str) -> Vec<Received> {
        self.received().into_iter().filter(|mail| mail.header("Subject") == subject).collect()
    }

    /// Answers the next recipient so.
    pub fn once(&self, answer: &'static str) {
        self.state.recipients.lock().unwrap().push_back(answer);
    }

    /// Answers every recipient so.
    pub fn always(&self, answer: &'static str) {
        *self.state.always.lock().unwrap() = answer;
    }

    /// Greets everybody so.
    pub fn greet(&self, greeting: &'static str) {
        *self.state.greeting.lock().unwrap() = greeting;
    }

    pub fn welcome_again(&self) {
        self.greet(READY);
    }

    /// Keeps mails without saying so.
    pub fn be_silent(&self, silent: bool) {
        self.state.silent.send_replace(silent);
    }

    /// How often somebody connected.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An e-mail as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// The envelope's recipients.
    pub to: Vec<String>,
    data: String,
}

impl Received {
    /// A header's value, unfolded; empty when there is none.
    pub fn header(&self, name: &str) -> String {
        self.headers(name).pop().unwrap_or_default()
    }

    /// Every value of a header.
    pub fn headers(&self, name: &str) -> Vec<String> {
        let (head, _) = self.data.split_once("\r\n\r\n").unwrap();
        let unfolded = head.replace("\r\n ", " ");
        let prefix = format!("{}: ", name.to_lowercase());
        let matching = unfolded.lines().filter(|l| l.to_lowercase().starts_with(&prefix));
        matching.map(|line| line[prefix.len()..].to_owned()).collect()
    }

    /// The body as its reader sees it (RFC 2045, section 6.7): long lines are whole.
    pub fn plain_body(&self) -> String {
        let body = self.body();
        if self.header("Content-Transfer-Encoding") != "quoted-printable" {
            return body;
        }
        let joined = body.replace("=\n", "");
        let mut parts = joined.split('=');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| {
            let (code, rest) = part.split_at(2);
            let byte = u8::from_str_radix(code, 16).unwrap();
            format!("{text}{}{rest}", char::from(byte))
        })
    }

    pub fn body(&self) -> String {
        let (_, body) = self.data.split_once("\r\n\r\n").unwrap();
        body.replace("\r\n", "\n")
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        state.connections.fetch_add(1, Ordering::Relaxed);
        // A client that goes away in the middle is no failure of the server.
        tokio::spawn(converse(stream, state.clone()));
    }
}

async fn converse(stream: TcpStream, state: Arc<State>) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let greeting = *state.greeting.lock().unwrap();
    write.write_all(format!("{greeting}\r\n").as_bytes()).await?;
    if greeting != READY {
        return Ok(());
    }
    let mut to = Vec::new();
    while let Some(line) = lines.next_line().await? {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        let answer = match verb.as_str() {
            "RCPT" => state.recipient(&line, &mut to),
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                let data = data(&mut lines).await?;
                state.keep(Received { to: std::mem::take(&mut to), data }).await;
                FINE
            }
            "QUIT" => "221 bye",
            _ => FINE,
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

async fn data(
    lines: &mut tokio::io::Lines<BufReader<tokio::net::tcp::OwnedReadHalf>>,
) -> std::io::Result<String> {
    let mut data = String::new();
    while let Some(line) = lines.next_line().await? {
        if line == "." {
            break;
        }
        data.push_str(line.strip_prefix('.').unwrap_or(&line));
        data.push_str("\r\n");
    }
    Ok(data)
}

impl State {
    fn recipient(&self, line: &str, to: &mut Vec<String>) -> &'static str {
        let always = *self.always.lock().unwrap();
        let answer = self.recipients.lock().unwrap().pop_front().unwrap_or(always);
        if answer == FINE {
            let address = line.split(['<', '>']).nth(1).unwrap_or_default();
            to.push(address.to_owned());
        }
        answer
    }

    async fn keep(&self, mail: Received) {
        self.received.lock().unwrap().push(mail);
        self.silent.subscribe().wait_for(|silent| !silent).await.unwrap();
    }
}
