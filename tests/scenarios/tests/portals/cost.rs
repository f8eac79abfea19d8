//! What a verdict costs on a link with 100 ms there and back: round trips, and octets as the interface counts them.

use core::time::Duration;

use harness::cases::Case;
use harness::virtual_operator::scenario::Families;
use scenarios::ground::Plan;
use scenarios::stage::Outcome;

use crate::gardens::{caught, reset};
use scenarios::meeting::{Kind, Meeting, cost, meet};

const WAY: Duration = Duration::from_millis(50);
const FAR: Kind = Kind { plan: Plan { ipv6: false, nat64: false }, families: Families::Ipv4, way: Some(WAY) };
const FAR_DUAL: Kind = Kind { plan: Plan { ipv6: true, nat64: false }, families: Families::Dual, way: Some(WAY) };
/// Tests that are made at most at each distance; a busy machine may spoil some, not all.
const TESTS: usize = 8;
/// Octets with IP heads that a test may cost, a family.
const FULL: u64 = 8 * 1024;
const PORTAL: u64 = 3 * 1024;

pub(crate) const CASES: &[Case] = &[
    Case { name: "full_takes_four_round_trips_and_8_kb", run: || meet(FAR, async |m| full(m, 1).await) },
    Case { name: "full_of_both_families_takes_four_round_trips", run: || meet(FAR_DUAL, async |m| full(m, 2).await) },
    Case { name: "portal_takes_three_round_trips_and_3_kb", run: || meet(FAR, portal) },
];

async fn full(meeting: &mut Meeting, families: u64) -> Outcome {
    meeting.plug().await?;
    meeting.full().await?;
    count(meeting, 4, FULL * families).await
}

async fn portal(meeting: &mut Meeting) -> Outcome {
    meeting.ground.garden(&caught(8302), &reset()).await?;
    meeting.plug().await?;
    meeting.sees("portal", "redirect").await?;
    count(meeting, 3, PORTAL).await
}

/// Asks for tests and counts on the link. Octets: of each test. Round trips: what a test takes longer where the link is
/// longer; what it takes on any link falls out of that, and of several tests the quickest is held up by nothing else.
async fn count(meeting: &mut Meeting, trips: u64, octets: u64) -> Outcome {
    let (mut near, mut far) = (Duration::MAX, Duration::MAX);
    let mut counted = 0;
    for attempt in 0..TESTS {
        near = near.min(test(meeting, WAY, trips, octets).await?);
        far = far.min(test(meeting, 5 * WAY, trips, octets).await?);
        let more = far.saturating_sub(near).as_millis();
        counted = (more + 4 * WAY.as_millis()) / (8 * WAY.as_millis());
        if attempt > 0 && counted == u128::from(trips) {
            println!("  {counted} round trips: {} ms at 100 ms, {} ms at 500 ms", near.as_millis(), far.as_millis());
            return Ok(());
        }
    }
    Err(format!("{counted} round trips by the clock, {trips} wanted: {near:?} at 100 ms, {far:?} at 500 ms").into())
}

/// One test at a distance; the time that it took.
async fn test(
    meeting: &Meeting,
    way: Duration,
    trips: u64,
    octets: u64,
) -> Result<Duration, Box<dyn std::error::Error>> {
    let link = meeting.slow.as_ref().unwrap();
    link.set_way(way);
    // What the test before has left on the way arrives.
    tokio::time::sleep(4 * way + Duration::from_millis(200)).await;
    let _ = link.passed();
    let start = tokio::time::Instant::now();
    let view = meeting.check().await?;
    let took = start.elapsed();
    tokio::time::sleep(4 * way + Duration::from_millis(200)).await;
    let passed = link.passed();
    let total = passed.octets[0] + passed.octets[1];
    let said = cost(&view);
    println!(
        "  {} ms at {} ms: {} round trips said; on the interface {total} octets ({} out, {} in, {} packets), {} said",
        took.as_millis(),
        2 * way.as_millis(),
        said["round-trips"],
        passed.octets[0],
        passed.octets[1],
        passed.packets[0] + passed.packets[1],
        said["octets"],
    );
    assert_eq!(said["round-trips"], trips);
    assert!(total <= octets, "{total} octets, {octets} allowed");
    // An estimate that is within a third of what the interface counted.
    assert!(said["octets"].abs_diff(total) * 3 <= total, "{} said, {total} counted", said["octets"]);
    assert!(took >= 2 * way * u32::try_from(trips)?, "{took:?} is less than the link allows");
    Ok(took)
}
