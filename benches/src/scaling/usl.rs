//! The Universal Scalability Law: how throughput grows with the number of workers, by two numbers.
//!
//! ```text
//!                      N                   σ  contention: the part that only one can do at a time
//! X(N) / X(1) = ─────────────────────      κ  coherence: what each pair of workers costs, since they must agree
//!               1 + σ(N−1) + κN(N−1)       at N = √((1−σ)/κ) more workers begin to slow each other down
//! ```
//!
//! Turned around, `N X(1) / X(N) − 1` is linear in σ and κ, and least squares find them, of those that are not negative: less than nothing is no cost. It is a law
//! of real processors: where threads take turns on fewer, the operating system's scheduler is what is measured. Two numbers bend to any few
//! points, so it takes six, and the residual says how far the law is from them.

/// The two numbers of a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Law {
    pub(crate) contention: f64,
    pub(crate) coherence: f64,
    /// By what part of it the law misses a throughput: the root of the mean square over all points but the first.
    pub(crate) residual: f64,
}

impl Law {
    /// Fits the throughputs at numbers of workers, which begin with the throughput at 1. Of fewer than [`POINTS`] there is no law.
    pub(crate) fn fit(points: &[(usize, f64)]) -> Option<Self> {
        let (&(first, base), more) = points.split_first()?;
        if first != 1 || points.len() < POINTS {
            return None;
        }
        // The normal equations of y = σa + κb.
        let (mut aa, mut ab, mut bb, mut ay, mut by) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for &(workers, throughput) in more {
            let n = workers as f64;
            let (a, b, y) = (n - 1.0, n * (n - 1.0), n * base / throughput - 1.0);
            aa += a * a;
            ab += a * b;
            bb += b * b;
            ay += a * y;
            by += b * y;
        }
        let determinant = aa * bb - ab * ab;
        let (contention, coherence) = (
            (ay * bb - by * ab) / determinant,
            (aa * by - ab * ay) / determinant,
        );
        // The sum of squares has one minimum. If that is outside, the least within the bounds is on one of the two, where the other number is 0.
        let candidates = match contention >= 0.0 && coherence >= 0.0 {
            true => [(contention, coherence); 2],
            false => [((ay / aa).max(0.0), 0.0), (0.0, (by / bb).max(0.0))],
        };
        let squares = |(c, k): (f64, f64)| {
            c * c * aa + 2.0 * c * k * ab + k * k * bb - 2.0 * (c * ay + k * by)
        };
        let [one, other] = candidates;
        let (contention, coherence) = if squares(one) <= squares(other) {
            one
        } else {
            other
        };
        let mut law = Self {
            contention,
            coherence,
            residual: 0.0,
        };
        let misses = more
            .iter()
            .map(|&(workers, throughput)| law.at(workers) * base / throughput - 1.0);
        law.residual = (misses.map(|miss| miss * miss).sum::<f64>() / more.len() as f64).sqrt();
        (law.contention.is_finite() && law.coherence.is_finite() && law.residual.is_finite())
            .then_some(law)
    }

    /// The throughput at `workers` as a multiple of that at 1.
    fn at(self, workers: usize) -> f64 {
        let n = workers as f64;
        n / (1.0 + self.contention * (n - 1.0) + self.coherence * n * (n - 1.0))
    }
}

/// With that of one worker.
pub(super) const POINTS: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_behind_a_curve_are_found() {
        let law = Law {
            contention: 0.04,
            coherence: 0.0007,
            residual: 0.0,
        };
        let points = [1, 2, 4, 8, 16, 32, 64].map(|workers| (workers, 3.0e6 * law.at(workers)));
        let found = Law::fit(&points).unwrap();
        assert!(
            (found.contention - law.contention).abs() < 1e-9,
            "{found:?}"
        );
        assert!((found.coherence - law.coherence).abs() < 1e-9, "{found:?}");
        assert!(found.residual < 1e-9, "{found:?}");
    }

    #[test]
    fn a_curve_with_noise_gives_numbers_nearby() {
        let law = Law {
            contention: 0.05,
            coherence: 0.001,
            residual: 0.0,
        };
        // Two percent up and down.
        let noise = [1.0, 1.02, 0.98, 1.02, 0.98, 1.02];
        let mut points = [1, 2, 4, 8, 16, 32].map(|workers| (workers, law.at(workers)));
        for (point, noise) in points.iter_mut().zip(noise) {
            point.1 *= noise;
        }
        let found = Law::fit(&points).unwrap();
        for workers in [2, 4, 8, 16, 32] {
            let error = found.at(workers) / law.at(workers) - 1.0;
            assert!(error.abs() < 0.05, "{workers} workers: {error}");
        }
        assert!((0.005..0.03).contains(&found.residual), "{found:?}");
    }

    #[test]
    fn what_scales_without_end_has_neither() {
        let points = [1, 2, 4, 8, 16, 32].map(|workers| (workers, workers as f64));
        let found = Law::fit(&points).unwrap();
        assert!(found.contention.abs() < 1e-12 && found.coherence.abs() < 1e-12);
    }

    #[test]
    fn what_scales_better_than_that_or_stops_suddenly_costs_no_less_than_nothing() {
        let points = |speed_up: fn(f64) -> f64| {
            [1, 2, 4, 8, 16, 32].map(|workers| (workers, speed_up(f64::from(workers as u32))))
        };
        let better = Law::fit(&points(|n| n.powf(1.1))).unwrap();
        assert_eq!((better.contention, better.coherence), (0.0, 0.0));
        assert!(
            better.residual > 0.1,
            "the law does not know such a curve: {better:?}"
        );
        // Without bounds one of the two would be negative in each of these.
        let suddenly = Law::fit(&points(|n| if n < 32.0 { n } else { 16.0 })).unwrap();
        assert!(
            suddenly.contention == 0.0 && suddenly.coherence > 0.0,
            "{suddenly:?}"
        );
        let at_once = Law::fit(&points(|n| n / 2.0 + 0.5)).unwrap();
        assert!(
            at_once.contention > 0.0 && at_once.coherence == 0.0,
            "{at_once:?}"
        );
    }

    #[test]
    fn six_points_are_needed_of_which_the_first_is_one_worker() {
        let points = [1, 2, 4, 8, 16, 32].map(|workers| (workers, workers as f64));
        assert!(Law::fit(&points).is_some());
        assert_eq!(Law::fit(&points[..5]), None);
        assert_eq!(
            Law::fit(&points.map(|(workers, rate)| (2 * workers, rate))),
            None
        );
        assert_eq!(Law::fit(&[]), None);
    }
}
