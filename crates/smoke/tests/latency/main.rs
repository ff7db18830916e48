//! How often latencies are judged rightly, over many simulated comparisons.

use nonevent_smoke::{LatencyComparison, LatencyRule, LatencyVerdict};
use proptest::prelude::{any, prop, prop_assert_eq, proptest};

/// splitmix64.
struct Draw(u64);

impl Draw {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let (a, b) = (self.uniform().max(1e-300), self.uniform());
        (-2.0 * a.ln()).sqrt() * (2.0 * std::f64::consts::PI * b).cos()
    }
}

/// What disturbs the measurements.
#[derive(Debug, Clone, Copy)]
enum Noise {
    /// Lognormal of this coefficient of variation.
    Lognormal(f64),
    /// A mean of exponentials: gamma of shape 4.
    Gamma,
    /// One of five misses a cache and takes ten times as long.
    Bimodal,
    /// Pareto's tail of index 1.5.
    Pareto,
    /// Slow waves of load that both share (autoregressive of order 1).
    Waves,
    /// Twice the load from the 30th pair on.
    Step,
    /// Whole milliseconds around 3.
    Coarse,
    /// The second of a pair finds a warm cache and takes 30 % less.
    Warm,
}

const NOISES: [Noise; 10] = [
    Noise::Lognormal(0.1),
    Noise::Lognormal(0.3),
    Noise::Lognormal(1.0),
    Noise::Gamma,
    Noise::Bimodal,
    Noise::Pareto,
    Noise::Waves,
    Noise::Step,
    Noise::Coarse,
    Noise::Warm,
];

/// What the new version does otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Effect {
    None,
    /// Every answer takes a fifth longer.
    Fifth,
    /// Every second answer takes 40 % longer.
    HalfOfThem,
    /// Every answer takes as much longer as a fifth of the median.
    Added,
}

struct World {
    draw: Draw,
    noise: Noise,
    wave: f64,
    pair: usize,
}

impl World {
    /// One answer, in milliseconds around 10.
    fn answer(&mut self, is_second: bool) -> f64 {
        let draw = &mut self.draw;
        let lognormal =
            |draw: &mut Draw, cv: f64| ((1.0 + cv * cv).ln().sqrt() * draw.normal()).exp();
        10.0 * match self.noise {
            Noise::Lognormal(cv) => lognormal(draw, cv),
            Noise::Gamma => {
                (0..4)
                    .map(|_| -draw.uniform().max(1e-300).ln())
                    .sum::<f64>()
                    / 4.0
            }
            Noise::Bimodal => {
                let miss = if draw.uniform() < 0.2 { 10.0 } else { 1.0 };
                miss * lognormal(draw, 0.2)
            }
            Noise::Pareto => draw.uniform().max(1e-12).powf(-1.0 / 1.5),
            Noise::Waves => {
                self.wave = 0.95 * self.wave + 0.1 * draw.normal();
                self.wave.exp() * lognormal(draw, 0.2)
            }
            Noise::Step => (if self.pair >= 30 { 2.0 } else { 1.0 }) * lognormal(draw, 0.3),
            Noise::Coarse => 0.3 * lognormal(draw, 0.3),
            Noise::Warm => (if is_second { 0.7 } else { 1.0 }) * lognormal(draw, 0.2),
        }
    }

    fn measured(&self, ms: f64) -> u64 {
        match self.noise {
            Noise::Coarse => 1_000 * ms.round().max(1.0) as u64,
            _ => (1_000.0 * ms) as u64,
        }
    }
}

/// The verdict of one comparison, and after how many pairs.
fn compare(noise: Noise, effect: Effect, seed: u64) -> (LatencyVerdict, usize) {
    let mut world = World {
        draw: Draw(seed.wrapping_mul(0x1234_5678_9abc_def1)),
        noise,
        wave: 0.0,
        pair: 0,
    };
    let mut pairs = LatencyComparison::new(LatencyRule::default(), seed);
    loop {
        let new_first = pairs.new_first();
        let (first, second) = (world.answer(false), world.answer(true));
        let (old, new) = if new_first {
            (second, first)
        } else {
            (first, second)
        };
        let new = match effect {
            Effect::None => new,
            Effect::Fifth => new * 1.2,
            Effect::HalfOfThem => new * if world.draw.uniform() < 0.5 { 1.4 } else { 1.0 },
            Effect::Added => new + 0.2 * median_ms(noise),
        };
        world.pair += 1;
        let verdict = pairs.observe(world.measured(old), world.measured(new));
        if verdict != LatencyVerdict::NeedsMore {
            return (verdict, world.pair);
        }
    }
}

fn median_ms(noise: Noise) -> f64 {
    match noise {
        Noise::Gamma => 9.18,
        Noise::Pareto => 15.87,
        Noise::Coarse => 3.0,
        _ => 10.0,
    }
}

/// Shares in percent of slower, not slower and undecided, and the mean number of pairs.
fn shares(noise: Noise, effect: Effect, runs: u64) -> [f64; 4] {
    let mut counts = [0.0; 4];
    for seed in 0..runs {
        let (verdict, pairs) = compare(noise, effect, seed);
        counts[match verdict {
            LatencyVerdict::Slower => 0,
            LatencyVerdict::NotSlower => 1,
            _ => 2,
        }] += 100.0 / runs as f64;
        counts[3] += pairs as f64 / runs as f64;
    }
    counts
}

#[test]
fn slowdowns_are_found_and_nothing_else() {
    let runs = 300;
    println!("noise                 effect       slower not-slower undecided  pairs");
    for noise in NOISES {
        for effect in [
            Effect::None,
            Effect::Fifth,
            Effect::HalfOfThem,
            Effect::Added,
        ] {
            let [slower, not_slower, undecided, pairs] = shares(noise, effect, runs);
            let (shown, effected) = (format!("{noise:?}"), format!("{effect:?}"));
            println!(
                "{shown:20}  {effected:10}  {slower:6.1}     {not_slower:6.1}    {undecided:6.1}  {pairs:5.0}"
            );
            if effect == Effect::None {
                assert!(slower <= 5.0, "{noise:?}: {slower} % false alarms");
                assert!(
                    not_slower >= 90.0,
                    "{noise:?}: {not_slower} % are shown to be no slower"
                );
            }
            if effect == Effect::Fifth {
                assert!(slower >= 95.0, "{noise:?}: {slower} % of slowdowns found");
                assert!(not_slower <= 5.0, "{noise:?}: {not_slower} % missed");
            }
        }
    }
}

proptest! {
    #[test]
    fn only_the_ratio_counts(
        pairs in prop::collection::vec((1_u64..1_000_000, 1_u64..1_000_000), 1..60),
        scale in 1_u64..1_000,
    ) {
        let verdict = |scale: u64| {
            let mut comparison = LatencyComparison::new(LatencyRule::default(), 7);
            let all = pairs.iter().map(|(old, new)| comparison.observe(old * scale, new * scale));
            all.collect::<Vec<_>>()
        };
        prop_assert_eq!(verdict(1), verdict(scale));
    }

    #[test]
    fn nothing_panics(pairs in prop::collection::vec((any::<u64>(), any::<u64>()), 0..60), max in any::<u32>()) {
        let rule = LatencyRule { margin_percent: max, pairs_max: max % 100 };
        let mut comparison = LatencyComparison::new(rule, 7);
        for (old, new) in pairs {
            comparison.observe(old, new);
        }
        let figures = comparison.figures();
        assert!(figures.ratio_low <= figures.ratio_high);
    }
}
