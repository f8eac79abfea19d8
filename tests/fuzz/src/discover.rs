//! Discovery without libFuzzer: seeds of the corpus are changed, cut and joined, a fixed number of times, and given to a
//! target. The same inputs on every run and machine, unless `MBIMD_FUZZ_SEED` is another number.

/// Longest input, as libFuzzer is told.
const LONGEST: usize = 4096;
/// Numbers that lie about lengths and counts.
const ODD: [u32; 12] = [0, 1, 3, 4, 0x7f, 0xff, 0x100, 0xfffe, 0xffff, 0x7fff_ffff, 0xffff_fff8, u32::MAX];

/// Of all rounds, this part where `MBIMD_FUZZ` is not set: ordinary tests have little time and no optimised build.
const PART: u32 = 500;

/// Runs a target on `rounds` inputs made of the seeds, or on a small part of them. What panics is printed, and the panic
/// goes on.
///
/// # Panics
/// When the target does.
pub fn discover(seeds: &[Vec<u8>], rounds: u32, run: fn(&[u8])) {
    let number = std::env::var("MBIMD_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1u64);
    let mut noise = Noise(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let rounds = if std::env::var_os("MBIMD_FUZZ").is_some() { rounds } else { rounds / PART };
    for round in 0..rounds {
        let mut input = noise.pick(seeds).cloned().unwrap_or_default();
        for _ in 0..=noise.below(4) {
            change(&mut input, seeds, &mut noise);
        }
        input.truncate(LONGEST);
        if let Err(panic) = std::panic::catch_unwind(|| run(&input)) {
            let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
            eprintln!("round {round} of seed {number}, {} bytes: {hex}", input.len());
            std::panic::resume_unwind(panic);
        }
    }
}

/// One change.
fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], noise: &mut Noise) {
    let at = noise.below(input.len() + 1);
    match noise.below(9) {
        0 => flip(input, at, 1 << noise.below(8)),
        1 => flip(input, at, noise.next() as u8),
        2 => input.truncate(at),
        3 => input.insert(at, noise.next() as u8),
        // A field says something else.
        4 | 5 => {
            let at = at & !3;
            let odd = noise.pick(&ODD).copied().unwrap_or(0);
            let number = if noise.below(4) == 0 { noise.below(input.len() + 1) as u32 } else { odd };
            for (place, byte) in (at..).zip(number.to_le_bytes()) {
                if let Some(there) = input.get_mut(place) {
                    *there = byte;
                }
            }
        }
        // A piece of it again, or away.
        6 => {
            let end = (at + noise.below(64)).min(input.len());
            let piece = input.get(at..end).unwrap_or_default().to_vec();
            let to = noise.below(input.len() + 1);
            input.splice(to..to, piece);
        }
        7 => drop(input.drain(at..(at + noise.below(16)).min(input.len()))),
        // The end of another.
        _ => {
            input.truncate(at);
            let other = noise.pick(seeds).map(Vec::as_slice).unwrap_or_default();
            input.extend_from_slice(other.get(noise.below(other.len() + 1)..).unwrap_or_default());
        }
    }
}

fn flip(input: &mut [u8], at: usize, bits: u8) {
    if let Some(byte) = input.get_mut(at) {
        *byte ^= bits;
    }
}

struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 16
    }

    fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { (self.next() % end as u64) as usize }
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }
}
