//! The modem's link with a distance: two TUN devices, and each packet needs its time from one to the other.

use std::collections::VecDeque;
use std::rc::Rc;

use core::cell::{Cell, RefCell};
use core::time::Duration;

use harness::virtual_operator::address::{DATA_LINK, GI_LINK};
use harness::virtual_operator::{Error, While};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tun_rs::{AsyncDevice, DeviceBuilder, Layer};

/// Largest packet, octets.
const MTU: u16 = 1500;
/// Octets of what the machine sent that are kept.
const KEPT: usize = 1024 * 1024;

/// What passed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Passed {
    /// Octets with IP heads, to the network and from it.
    pub octets: [u64; 2],
    /// Packets, as [`Passed::octets`].
    pub packets: [u64; 2],
}

/// A link that carries packets while it lives.
#[derive(Debug)]
pub struct Slow {
    way: Rc<Cell<Duration>>,
    passed: Rc<RefCell<Passed>>,
    carried: Rc<RefCell<Vec<u8>>>,
    tasks: [JoinHandle<()>; 2],
}

impl Slow {
    /// Makes both ends in this namespace, down and without addresses. A packet needs `way` from one to the other.
    ///
    /// # Errors
    /// A name is taken, or there is no TUN.
    pub fn start(way: Duration) -> Result<Self, Error> {
        let make = |name: &str| {
            let builder =
                DeviceBuilder::new().name(name).layer(Layer::L3).mtu(MTU).packet_information(false).enable(false);
            builder.build_async().map(Rc::new).trying(format!("making {name}"))
        };
        let (near, far) = (make(DATA_LINK)?, make(GI_LINK)?);
        let (way, passed) = (Rc::new(Cell::new(way)), Rc::new(RefCell::new(Passed::default())));
        let carried = Rc::new(RefCell::new(Vec::new()));
        let carry = |from: &Rc<AsyncDevice>, to: &Rc<AsyncDevice>, direction| {
            tokio::task::spawn_local(carry(
                from.clone(),
                to.clone(),
                way.clone(),
                passed.clone(),
                carried.clone(),
                direction,
            ))
        };
        let tasks = [carry(&near, &far, 0), carry(&far, &near, 1)];
        Ok(Self { way, passed, carried, tasks })
    }

    /// From now on a packet needs so long from one end to the other.
    pub fn set_way(&self, way: Duration) {
        self.way.set(way);
    }

    /// What passed since this was asked the last time.
    #[must_use]
    pub fn passed(&self) -> Passed {
        self.passed.take()
    }

    /// All that the machine has sent since the start, packet after packet, up to `KEPT` octets.
    #[must_use]
    pub fn carried(&self) -> Vec<u8> {
        self.carried.borrow().clone()
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn carry(
    from: Rc<AsyncDevice>,
    to: Rc<AsyncDevice>,
    way: Rc<Cell<Duration>>,
    passed: Rc<RefCell<Passed>>,
    carried: Rc<RefCell<Vec<u8>>>,
    direction: usize,
) {
    let mut waiting: VecDeque<(Instant, Vec<u8>)> = VecDeque::new();
    let mut buffer = vec![0; 65_536];
    loop {
        let next = waiting.front().map(|(at, _)| *at);
        let arrival = async {
            match next {
                Some(at) => tokio::time::sleep_until(at).await,
                None => core::future::pending().await,
            }
        };
        tokio::select! {
            got = from.recv(&mut buffer) => match got {
                Ok(size) => {
                    let now = Instant::now();
                    let packet = buffer.get(..size).unwrap_or_default().to_vec();
                    let mut passed = passed.borrow_mut();
                    passed.octets[direction] += size as u64;
                    passed.packets[direction] += 1;
                    let mut carried = carried.borrow_mut();
                    if direction == 0 && carried.len() + packet.len() <= KEPT {
                        carried.extend_from_slice(&packet);
                    }
                    waiting.push_back((now + way.get(), packet));
                }
                // A device that is down is not gone.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            () = arrival => if let Some((_, packet)) = waiting.pop_front() {
                // One that is down loses packets, as any link does.
                let _: std::io::Result<usize> = to.send(&packet).await;
            },
        }
    }
}
