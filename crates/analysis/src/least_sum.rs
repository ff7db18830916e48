//! The least sum of a falling and a rising function of the bucket, from few evaluations of either:
//! each costs a special function.

/// A bucket with both functions' values there.
#[derive(Clone, Copy)]
pub(crate) struct Point {
    bucket: usize,
    falling: f64,
    rising: f64,
}

/// A falling and a rising function of the bucket, whose least sum is wanted.
pub(crate) trait FallingAndRising {
    fn falling(&self, bucket: usize) -> f64;
    fn rising(&self, bucket: usize) -> f64;

    /// Bounds on each that cost less, (lower, upper).
    fn falling_bounds(&self, _bucket: usize) -> (f64, f64) {
        (f64::NEG_INFINITY, f64::INFINITY)
    }
    fn rising_bounds(&self, _bucket: usize) -> (f64, f64) {
        (f64::NEG_INFINITY, f64::INFINITY)
    }

    fn point(&self, bucket: usize) -> Point {
        Point {
            bucket,
            falling: self.falling(bucket),
            rising: self.rising(bucket),
        }
    }

    /// Whether every sum from `first` to `last` is at least `limit`. Most often one that is not
    /// is found at once.
    fn reaches(&self, first: usize, last: usize, guess: usize, limit: f64) -> bool {
        self.falling_bounds(guess).1 + self.rising_bounds(guess).1 >= limit
            && self.least(first, last, guess, limit) >= limit
    }

    /// The least sum from `first` to `last` from few evaluations, or any sum below `enough`: over
    /// some buckets the sum is at least the falling function's value at the last and the rising
    /// one's at the first of them. Starts from the guess and doubles its steps outwards.
    fn least(&self, first: usize, last: usize, guess: usize, enough: f64) -> f64 {
        let start = self.point(guess);
        let mut least = start.falling + start.rising;
        if least < enough {
            return least;
        }
        let (mut left, mut step) = (start, 1);
        let lowest = if guess < last {
            self.falling(last)
        } else {
            start.falling
        };
        while left.bucket < last {
            let (floor, _) = self.rising_bounds(left.bucket + 1);
            if floor.max(left.rising) + lowest >= least {
                break;
            }
            let right = self.point((left.bucket + step).min(last));
            self.between(left, right, &mut least);
            (left, step) = (right, step * 2);
        }
        let (mut right, mut step) = (start, 1);
        let lowest = if guess > first {
            self.rising(first)
        } else {
            start.rising
        };
        while right.bucket > first {
            let (floor, _) = self.falling_bounds(right.bucket - 1);
            if floor.max(right.falling) + lowest >= least {
                break;
            }
            let left = self.point(right.bucket.saturating_sub(step).max(first));
            self.between(left, right, &mut least);
            (right, step) = (left, step * 2);
        }
        least
    }

    /// Brings `least` down to the least sum from `left` to `right`.
    fn between(&self, left: Point, right: Point, least: &mut f64) {
        *least = least
            .min(left.falling + left.rising)
            .min(right.falling + right.rising);
        if right.bucket - left.bucket < 2 || right.falling + left.rising >= *least {
            return;
        }
        let (falling, _) = self.falling_bounds(right.bucket - 1);
        let (rising, _) = self.rising_bounds(left.bucket + 1);
        if falling.max(right.falling) + rising.max(left.rising) >= *least {
            return;
        }
        let middle = self.point(left.bucket.midpoint(right.bucket));
        self.between(left, middle, least);
        self.between(middle, right, least);
    }
}
