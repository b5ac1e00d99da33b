//! The chat server, example `seed_e23_chat`: what everybody hears, to the last line, and that none of the five faults of the article's is in it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::support::{
    RUN_LIMIT, Running, example, is_child, more_descriptors, spawn_child, within,
};

#[test]
fn three_clients_hear_each_other_to_the_last_line() {
    let chat = Chat::start(&[]);
    let mut clients: Vec<_> = (0..3).map(|_| Client::enter(chat.address)).collect();
    let script = [
        (0, "hello"),
        (1, "hi"),
        (2, "what is this?"),
        (0, "a chat"),
        (2, ""),
        (1, "goodbye"),
    ];
    for (speaker, line) in script {
        clients[speaker].say(line);
        // The others have heard it before the next one speaks.
        for (_, listener) in clients
            .iter_mut()
            .enumerate()
            .filter(|(n, _)| *n != speaker)
        {
            listener.note();
        }
    }
    chat.signal();
    let transcripts: Vec<_> = clients.into_iter().map(Client::rest).collect();
    let expected = [
        "* you are guest 1, others: 0\n2: hi\n3: what is this?\n3: \n2: goodbye\n* the chat ends\n",
        "* you are guest 2, others: 1\n1: hello\n3: what is this?\n1: a chat\n3: \n* the chat ends\n",
        "* you are guest 3, others: 2\n1: hello\n2: hi\n1: a chat\n2: goodbye\n* the chat ends\n",
    ];
    assert_eq!(transcripts, expected);
    assert_eq!(
        chat.finish(),
        "3 connections: 3 finished, 0 panicked, 0 dropped, 0 open; 0 errors of accept\n"
    );
}

/// In the article the list changes while it is iterated over.
#[test]
fn who_comes_and_goes_costs_no_other_a_line() {
    let chat = Chat::start(&[]);
    let mut speaker = Client::enter(chat.address);
    // They are in front of the listeners, wherever there is an order.
    let mut leaving: Vec<_> = (0..60).map(|_| Client::enter(chat.address)).collect();
    let mut listeners: Vec<_> = (0..20).map(|_| Client::enter(chat.address)).collect();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(SeqCst) {
                    drop(Client::enter(chat.address));
                }
            });
        }
        // Also when this panics: else the visitors would come for ever.
        let _over = SetAtEnd(&over);
        let mut line = 0;
        while let Some(guest) = leaving.pop() {
            // Less than a queue holds.
            let lines = line..line + 100;
            let text: String = lines.clone().map(|n| format!("line {n}\n")).collect();
            speaker.say(text.trim_end());
            drop(guest);
            for n in lines {
                for listener in &mut listeners {
                    assert_eq!(listener.hear(), format!("1: line {n}\n"));
                }
                line += 1;
            }
        }
    });
}

/// In the article who speaks waits until all others have taken what is said.
#[test]
fn who_does_not_read_holds_up_nobody_and_is_sent_away() {
    let chat = Chat::start(&["500"]);
    let mut speaker = Client::enter(chat.address);
    let mut listener = Client::enter(chat.address);
    let sleeper = Client::enter(chat.address);
    assert_eq!(chat.others(), 3);

    let long = "x".repeat(60_000);
    let heard = format!("1: {long}\n");
    // Until nothing is left in the system for the sleeper, and it has had its time. Meanwhile everybody else hears everything at once.
    chat.wait_for_others(2, || {
        for _ in 0..50 {
            speaker.say(&long);
            assert!(listener.hear() == heard, "a line was cut");
        }
    });
    speaker.say("still here");
    assert_eq!(listener.hear(), "1: still here\n");
    // It was not told of an end: it was cut off.
    assert!(!sleeper.rest().ends_with("* the chat ends\n"));
}

#[test]
fn who_reads_late_is_told_how_many_lines_it_has_missed() {
    let chat = Chat::start(&[]);
    let mut speaker = Client::enter(chat.address);
    let mut listener = Client::enter(chat.address);
    let mut sleeper = Client::enter(chat.address);
    let long = "x".repeat(60_000);
    let (over, (enough, waits)) = (AtomicBool::new(false), channel());
    thread::scope(|scope| {
        let (over, _over) = (&over, SetAtEnd(&over));
        scope.spawn(move || {
            for n in 0.. {
                speaker.say(&format!("{n} {long}"));
                assert_eq!(listener.hear(), format!("1: {n} {long}\n"));
                // More than the system keeps for a socket, and the queue.
                if n == 1000 {
                    enough.send(()).unwrap();
                }
                if over.load(SeqCst) {
                    break;
                }
            }
        });
        waits.recv().unwrap();
        let (mut next, mut missed) = (0, 0);
        // To the first line that comes after those that it has missed.
        while missed == 0 || next <= 1000 {
            let line = sleeper.hear();
            if let Some(notice) = line.strip_prefix("* you have missed ") {
                missed += number(notice);
                next += number(notice);
            } else {
                assert_eq!(number(&line[3..]), next);
                next += 1;
            }
        }
    });
}

/// That with which the text begins.
fn number(text: &str) -> usize {
    text.split(' ').next().unwrap().parse().unwrap()
}

/// In the article the error of a client that is written to ends the handler that writes: that of who speaks.
#[test]
fn the_errors_of_listeners_do_not_end_who_speaks() {
    let chat = Chat::start(&[]);
    let mut speaker = Client::enter(chat.address);
    let mut listener = Client::enter(chat.address);
    for n in 0..200 {
        let stranger = TcpStream::connect(chat.address).unwrap();
        speaker.say(&format!("line {n}"));
        break_off(stranger);
        speaker.say("and another");
        assert_eq!(listener.hear(), format!("1: line {n}\n"));
        assert_eq!(listener.hear(), "1: and another\n");
    }
    listener.say("we have both stayed");
    assert_eq!(speaker.hear(), "2: we have both stayed\n");
}

/// In the article only who hangs up in order is taken out of the list.
#[test]
fn who_leaves_by_an_error_is_removed() {
    let chat = Chat::start(&[]);
    for _ in 0..20 {
        break_off(TcpStream::connect(chat.address).unwrap());
    }
    // One that sends a line without an end is sent away for it.
    let mut endless = Client::enter(chat.address);
    endless.stream.get_mut().write_all(&[b'x'; 65_536]).unwrap();
    assert_eq!(endless.hear_or_break(), "");
    chat.wait_for_others(0, || {});
}

/// In the article they do.
#[test]
fn nobody_hears_their_own_words() {
    let chat = Chat::start(&[]);
    let mut clients: Vec<_> = (0..2).map(|_| Client::enter(chat.address)).collect();
    for n in 0..100 {
        let (speaker, listener) = (n % 2, (n + 1) % 2);
        clients[speaker].say(&format!("line {n}"));
        // The next that each hears is the other's, so nothing else came in between.
        let expected = format!("{}: line {n}\n", speaker + 1);
        assert_eq!(clients[listener].hear(), expected);
    }
}

/// Both ends of a connection take a descriptor, so the server is a process of its own, and so is who counts them.
#[test]
fn as_many_clients_as_descriptors_allow_hear_each_line() {
    const TEST: &str = "chat::as_many_clients_as_descriptors_allow_hear_each_line";
    if !is_child(TEST) {
        print!("{}", spawn_child(TEST, &[]).finish());
        return;
    }
    within(300, || {
        // The server inherits the limit.
        let crowd = (more_descriptors() - 64).min(MOST_CLIENTS);
        let chat = Chat::start(&[]);
        let mut clients = Vec::with_capacity(crowd);
        for n in 0..crowd {
            clients.push(Client::enter(chat.address));
            assert_eq!(clients[n].number, n + 1);
        }
        for speaker in [0, crowd / 2, crowd - 1] {
            let line = format!("there are {crowd} of us");
            clients[speaker].say(&line);
            let expected = format!("{}: {line}\n", speaker + 1);
            for (n, listener) in clients.iter_mut().enumerate() {
                if n != speaker {
                    assert_eq!(listener.hear(), expected, "client {n}");
                }
            }
        }
        chat.signal();
        for (n, client) in clients.into_iter().enumerate() {
            let greeting = format!("* you are guest {}, others: {n}\n", n + 1);
            assert_eq!(client.rest(), greeting + "* the chat ends\n");
        }
        let report = format!(
            "{crowd} connections: {crowd} finished, 0 panicked, 0 dropped, 0 open; 0 errors of accept\n"
        );
        assert_eq!(chat.finish(), report);
        println!("{crowd} clients");
    });
}

/// The server in a process of its own. Killed when dropped.
struct Chat {
    process: Running,
    address: SocketAddr,
    /// Reads what it prints, which would stop it if nobody did.
    output: JoinHandle<String>,
}

impl Chat {
    fn start(arguments: &[&str]) -> Self {
        let arguments = [&["127.0.0.1:0"], arguments].concat();
        let mut command = example("seed_e23_chat", &arguments);
        let mut process = Running(command.stdout(Stdio::piped()).spawn().unwrap());
        let mut output = BufReader::new(process.0.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line.strip_prefix("chatting on ").unwrap();
        let address = address.split(',').next().unwrap().parse().unwrap();
        let output = thread::spawn(move || {
            let mut rest = String::new();
            output.read_to_string(&mut rest).unwrap();
            rest
        });
        Self {
            process,
            address,
            output,
        }
    }

    /// How many are in the room: what one is told who comes.
    fn others(&self) -> usize {
        let client = Client::enter(self.address);
        let others = client.others;
        // It has left when this returns: else it would be one of those that the next one finds.
        client.stream.get_ref().shutdown(Shutdown::Write).unwrap();
        client.rest();
        others
    }

    /// Looks until so many are in the room. Not by `within`, which would leave the server behind.
    #[track_caller]
    fn wait_for_others(&self, others: usize, mut meanwhile: impl FnMut()) {
        let end = Instant::now() + RUN_LIMIT;
        while self.others() != others {
            assert!(Instant::now() < end, "{} others", self.others());
            meanwhile();
        }
    }

    /// Ctrl-C.
    fn signal(&self) {
        self.process.signal(libc::SIGINT);
    }

    /// What it has printed, once it has ended.
    fn finish(self) -> String {
        self.process.succeed("seed_e23_chat", String::new);
        self.output.join().unwrap()
    }
}

struct Client {
    stream: BufReader<TcpStream>,
    number: usize,
    others: usize,
    transcript: String,
}

impl Client {
    /// Is in the room when this returns.
    fn enter(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(RUN_LIMIT)).unwrap();
        stream.set_write_timeout(Some(RUN_LIMIT)).unwrap();
        let mut client = Self {
            // There may be very many.
            stream: BufReader::with_capacity(512, stream),
            number: 0,
            others: 0,
            transcript: String::new(),
        };
        let greeting = client.hear();
        let numbers = greeting.strip_prefix("* you are guest ").expect(&greeting);
        let (number, others) = numbers.trim_end().split_once(", others: ").unwrap();
        client.number = number.parse().unwrap();
        client.others = others.parse().unwrap();
        client.transcript = greeting;
        client
    }

    fn say(&mut self, line: &str) {
        let line = format!("{line}\n");
        self.stream.get_mut().write_all(line.as_bytes()).unwrap();
    }

    /// The next line, or nothing at the end.
    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line
    }

    /// As `hear`; an error is an end, too.
    fn hear_or_break(&mut self) -> String {
        let mut line = String::new();
        let _ = self.stream.read_line(&mut line);
        line
    }

    /// Hears a line, and notes it.
    fn note(&mut self) {
        let line = self.hear();
        self.transcript.push_str(&line);
    }

    /// What it has noted, and what comes until the end, or until the connection breaks.
    fn rest(mut self) -> String {
        let _ = self.stream.read_to_string(&mut self.transcript);
        self.transcript
    }
}

/// Breaks a connection off: one that is closed before all is read that has come is reset.
fn break_off(stream: TcpStream) {
    stream.set_read_timeout(Some(RUN_LIMIT)).unwrap();
    assert_eq!(stream.peek(&mut [0]).unwrap(), 1);
}

struct SetAtEnd<'a>(&'a AtomicBool);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// One address has some 28 000 ports for connections to another.
const MOST_CLIENTS: usize = 20_000;
