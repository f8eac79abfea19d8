use super::*;
use std::collections::VecDeque;
use std::future::{pending, poll_fn, ready};
use std::sync::{Arc, Mutex};
use std::task::Waker;

/// What the device did and is to do.
#[derive(Debug, Default)]
struct Device {
    notices: VecDeque<Result<Vec<u8>, Fail>>,
    responses: VecDeque<Result<Vec<u8>, Fail>>,
    commands: Vec<Vec<u8>>,
    /// How commands end; `None` = they do not.
    takes: Option<Result<(), Fail>>,
    fetches: u32,
    cleared: u32,
    waker: Option<Waker>,
}

#[derive(Clone, Debug, Default)]
struct Fake(Arc<Mutex<Device>>);

impl Fake {
    fn change<T>(&self, change: impl FnOnce(&mut Device) -> T) -> T {
        let mut device = self.0.lock().unwrap();
        if let Some(waker) = device.waker.take() {
            waker.wake();
        }
        change(&mut device)
    }
}

impl Wires for Fake {
    fn command(&self, frame: &[u8]) -> Work<Result<(), Fail>> {
        self.change(|device| {
            device.commands.push(frame.to_vec());
            match device.takes {
                Some(result) => Box::pin(ready(result)) as Work<Result<(), Fail>>,
                None => Box::pin(pending()),
            }
        })
    }

    fn response(&self, _: u16) -> Work<Result<Vec<u8>, Fail>> {
        let result = self.change(|device| {
            device.fetches += 1;
            device.responses.pop_front()
        });
        Box::pin(ready(result.unwrap_or(Err(Fail::Stalled))))
    }

    fn poll_notice(&mut self, cx: &mut Context<'_>) -> Poll<Result<Vec<u8>, Fail>> {
        let mut device = self.0.lock().unwrap();
        device.waker = Some(cx.waker().clone());
        device.notices.pop_front().map_or(Poll::Pending, Poll::Ready)
    }

    fn clear(&mut self) -> Work<Result<(), Fail>> {
        self.change(|device| device.cleared += 1);
        Box::pin(ready(Ok(())))
    }

    fn release(self: Box<Self>) -> Work<()> {
        Box::pin(ready(()))
    }
}

/// RESPONSE_AVAILABLE of interface 2.
const AVAILABLE: [u8; 8] = [0xA1, 0x01, 0, 0, 2, 0, 0, 0];

/// A frame of this type with so many octets behind its head.
fn frame(kind: u32, body: usize) -> Vec<u8> {
    let length = u32::try_from(HEAD + body).unwrap();
    [kind.to_le_bytes(), length.to_le_bytes(), 7u32.to_le_bytes()].concat().into_iter().chain(vec![9; body]).collect()
}

fn control(fake: &Fake) -> Control {
    fake.change(|device| device.takes = Some(Ok(())));
    Control::new(Box::new(fake.clone()), 2, 4096)
}

async fn receive(control: &mut Control, buffer: &mut [u8]) -> Received {
    poll_fn(|cx| control.poll_receive(cx, buffer)).await
}

async fn send(control: &mut Control, frame: &[u8], done: &mut usize) -> Sent {
    poll_fn(|cx| control.poll_send(cx, frame, done)).await
}

#[tokio::test]
async fn an_announced_answer_is_fetched_whole_or_in_parts() {
    let fake = Fake::default();
    let mut control = control(&fake);
    let answer = frame(0x8000_0001, 40);
    fake.change(|device| {
        device.notices.push_back(Ok(vec![0xA1, 0x2A, 0, 0, 2, 0, 8, 0, 1, 1, 1, 1, 1, 1, 1, 1]));
        device.notices.push_back(Ok(vec![0xA1, 0x01, 0, 0, 5, 0, 0, 0]));
        device.notices.push_back(Ok(AVAILABLE.to_vec()));
        device.responses.push_back(Ok(answer.clone()));
    });
    let mut buffer = [0; 32];
    assert_eq!(receive(&mut control, &mut buffer).await, Received::Bytes(32));
    assert_eq!(buffer, answer[..32]);
    assert_eq!(receive(&mut control, &mut buffer).await, Received::Bytes(answer.len() - 32));
    assert_eq!(fake.change(|device| device.fetches), 1, "other notifications and other interfaces count not");
}

#[tokio::test]
async fn octets_that_are_no_frame_are_dropped_and_the_next_are_in_step() {
    let fake = Fake::default();
    let mut control = control(&fake);
    let answer = frame(0x8000_0003, 20);
    let mut trailing = answer.clone();
    trailing.extend([1, 2, 3]);
    let two = [answer.clone(), answer.clone()].concat();
    let mut long = answer.clone();
    long[4] = 0xff;
    fake.change(|device| {
        for response in [vec![1, 2, 3, 4, 5], long, trailing, two.clone()] {
            device.notices.push_back(Ok(AVAILABLE.to_vec()));
            device.responses.push_back(Ok(response));
        }
    });
    let mut buffer = [0; 128];
    assert_eq!(receive(&mut control, &mut buffer).await, Received::Bytes(answer.len()));
    assert_eq!(receive(&mut control, &mut buffer).await, Received::Bytes(two.len()));
    assert_eq!((buffer[..two.len()].to_vec(), control.garbage), (two, 3));
}

#[tokio::test]
async fn a_frame_is_sent_once_however_often_its_sending_is_dropped() {
    let fake = Fake::default();
    let mut control = control(&fake);
    fake.change(|device| device.takes = None);
    let (first, second) = (frame(3, 10), frame(3, 20));
    let mut done = 0;
    for _ in 0..3 {
        tokio::select! {
            biased;
            _ = send(&mut control, &first, &mut done) => panic!("it does not end"),
            () = tokio::task::yield_now() => {}
        }
    }
    assert_eq!((done, fake.change(|device| device.commands.len())), (first.len(), 1));
    // Given up by its owner: its end is waited for before the next begins.
    control.sending = Some(Box::pin(ready(Err(Fail::Late))));
    fake.change(|device| device.takes = Some(Ok(())));
    done = 0;
    assert!(matches!(send(&mut control, &second, &mut done).await, Sent::Done));
    assert_eq!(fake.change(|device| device.commands.clone()), [first, second]);
    for (fail, gone) in [(Fail::Stalled, false), (Fail::Late, false), (Fail::Fault, false), (Fail::Gone, true)] {
        fake.change(|device| device.takes = Some(Err(fail)));
        done = 0;
        let sent = send(&mut control, &frame(3, 0), &mut done).await;
        assert_eq!(matches!(sent, Sent::Gone), gone, "{sent:?}");
        assert_eq!(matches!(sent, Sent::Failed(_)), !gone, "{sent:?}");
    }
}

#[tokio::test]
async fn the_interrupt_endpoint_is_cleared_and_what_is_gone_is_gone() {
    let fake = Fake::default();
    let mut control = control(&fake);
    fake.change(|device| {
        device.notices.extend([Err(Fail::Stalled), Err(Fail::Fault), Ok(AVAILABLE.to_vec())]);
        device.responses.push_back(Ok(frame(INDICATE_STATUS, 32)));
    });
    let mut buffer = [0; 64];
    assert_eq!(receive(&mut control, &mut buffer).await, Received::Bytes(44));
    assert_eq!(fake.change(|device| device.cleared), 2);
    fake.change(|device| device.notices.push_back(Err(Fail::Gone)));
    assert_eq!(receive(&mut control, &mut buffer).await, Received::Gone);
}

#[tokio::test]
async fn answers_that_are_not_announced_come_all_the_same_and_the_third_is_named() {
    let fake = Fake::default();
    let mut control = control(&fake);
    let mut buffer = [0; 64];
    for trouble in [None, None, Some(Trouble::Unannounced)] {
        let mut done = 0;
        assert!(matches!(send(&mut control, &frame(1, 4), &mut done).await, Sent::Done));
        fake.change(|device| device.responses.push_back(Ok(frame(0x8000_0001, 4))));
        assert_eq!(receive(&mut control, &mut buffer).await, Received::Bytes(16));
        assert_eq!(control.trouble(), trouble);
        // It looks whether there is more; there is not.
        tokio::select! {
            biased;
            received = receive(&mut control, &mut buffer) => panic!("{received:?}"),
            () = tokio::task::yield_now() => {}
        }
    }
    fake.change(|device| {
        device.notices.push_back(Ok(AVAILABLE.to_vec()));
        device.responses.push_back(Ok(frame(INDICATE_STATUS, 32)));
    });
    assert_eq!(receive(&mut control, &mut buffer).await, Received::Bytes(44));
    assert_eq!(control.trouble(), None, "it announces");
}
