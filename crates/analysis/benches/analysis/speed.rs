//! What an analysis costs.

use std::hint::black_box;
use std::time::Instant;

use nonevent_analysis::{Block, RateRatio};

use crate::world::World;

/// Nanoseconds that one block costs the ratio test, its evidence included.
pub(crate) fn print() {
    const BLOCKS: u64 = 200_000;
    let mut world = World::new(1);
    let blocks: Vec<Block> = (0..1_000)
        .map(|_| Block {
            stable_requests: 500,
            stable_events: world.poisson(5.0),
            canary_requests: 500,
            canary_events: world.poisson(10.0),
        })
        .collect();
    let mut test = RateRatio::new(2.0);
    let begun = Instant::now();
    for index in 0..BLOCKS {
        test.observe(&blocks[usize::try_from(index % 1_000).expect("small")]);
        black_box(test.ln_e_value_above());
    }
    let each = begun.elapsed().as_nanos() / u128::from(BLOCKS);
    println!("- ratio test: {each} ns for a block and its evidence");
}
