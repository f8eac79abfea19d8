//! Stands at the object of a modem that is not here: left to another program, or gone and expected back. It shows why,
//! and answers every request with that.

use std::sync::Arc;

use daemon_core::kept::Kept;
use daemon_core::proxy::News;
use daemon_core::request::{Reply, Request, RequestError, RequestErrorKind};
use daemon_core::snapshot::{Custody, Device, Reason, Snapshot};
use mbim_proto::status::Status;
use tokio::sync::{mpsc, watch};

use super::modem::Asked;
use crate::handle::{Guest, Tracer};

/// The modem's side of its object: goes from the task that owns it to the next.
#[derive(Debug)]
pub(crate) struct Ends {
    /// Requests of others.
    pub(crate) requests: mpsc::Receiver<Asked>,
    /// Clients of the proxy.
    pub(crate) guests: mpsc::Receiver<Guest>,
    /// Readers of its traffic.
    pub(crate) tracers: mpsc::Receiver<Tracer>,
    /// Where the snapshot is shown.
    pub(crate) shown: watch::Sender<Arc<Snapshot>>,
    /// What the modem said that it is, when it was last asked.
    pub(crate) device: Option<Device>,
    /// Wishes of people that outlive a renewal of the port.
    pub(crate) kept: Option<Box<Kept>>,
}

/// Shows the snapshot until it is told to let go, or to stop.
pub(crate) async fn run(mut ends: Ends, snapshot: Snapshot, mut let_go: watch::Receiver<bool>) -> Ends {
    let custody = snapshot.custody;
    let reason = snapshot.reason.clone().unwrap_or(Reason { code: "gone", text: "The modem is not there.".into() });
    ends.shown.send_replace(Arc::new(snapshot));
    loop {
        tokio::select! {
            asked = ends.requests.recv() => {
                let Some((request, answer)) = asked else { return ends };
                let stop = matches!(request, Request::Stop | Request::Leave);
                // Who asked may have gone.
                let _ = answer.send(if stop { Ok(Reply::Done { changed: false }) } else { Err(refusal(custody, &reason)) });
                if stop {
                    return ends;
                }
            }
            // Nobody joins here: who came between two owners is turned away.
            Some(guest) = ends.guests.recv() => {
                if let Some(news) = guest.news {
                    let _ = news.try_send(News::Refused(Status::BUSY));
                }
            }
            Some(tracer) = ends.tracers.recv() => {
                let _ = tracer.answer.send(Err(refusal(custody, &reason)));
            }
            // An error means that the supervisor is gone.
            _ = let_go.changed() => return ends,
        }
    }
}

fn refusal(custody: Custody, reason: &Reason) -> RequestError {
    let kind = match custody {
        Custody::Absent => RequestErrorKind::Gone,
        Custody::Held | Custody::Withheld => RequestErrorKind::WrongState,
    };
    RequestError { kind, reason: reason.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::ModemHandle;

    #[tokio::test]
    async fn every_request_is_answered_with_the_reason_and_the_object_goes_on() {
        let (requests, asked) = mpsc::channel(4);
        let (shown, seen) = watch::channel(Arc::default());
        let (guests, joining) = mpsc::channel(4);
        let (tracers, reading) = mpsc::channel(4);
        let mut handle = ModemHandle { id: 7, snapshot: seen, requests, guests, tracers };
        let mut ends = Ends { requests: asked, guests: joining, tracers: reading, shown, device: None, kept: None };
        for (custody, kind) in
            [(Custody::Withheld, RequestErrorKind::WrongState), (Custody::Absent, RequestErrorKind::Gone)]
        {
            let (let_go, letting_go) = watch::channel(false);
            let reason = Some(Reason { code: "x", text: "Another has it.".into() });
            let task = tokio::spawn(run(ends, Snapshot { custody, reason, ..Snapshot::default() }, letting_go));
            let error = handle.request(Request::Probe).await.unwrap_err();
            assert_eq!((error.kind, error.reason.code), (kind, "x"));
            let (socket, _) = crate::actor::trace::pair().unwrap();
            assert_eq!(handle.trace(socket).await.unwrap_err().kind, kind);
            assert_eq!(handle.snapshot.borrow_and_update().custody, custody);
            let_go.send_replace(true);
            ends = task.await.unwrap();
        }
        let (_let_go, letting_go) = watch::channel(false);
        let task = tokio::spawn(run(ends, Snapshot::default(), letting_go));
        assert_eq!(handle.request(Request::Stop).await, Ok(Reply::Done { changed: false }));
        drop(task.await.unwrap());
        assert_eq!(handle.request(Request::Probe).await.unwrap_err().kind, RequestErrorKind::Gone);
    }
}
