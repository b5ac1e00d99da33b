//! The Universal Scalability Law: how throughput grows with the number of workers, by two numbers.
//!
//! ```text
//!                      N                   σ  contention: the part that only one can do at a time
//! X(N) / X(1) = ─────────────────────      κ  coherence: what each pair of workers costs, since they must agree
//!               1 + σ(N−1) + κN(N−1)       at N = √((1−σ)/κ) more workers begin to slow each other down
//! ```
//!
//! Turned around, `N X(1) / X(N) − 1` is linear in σ and κ, and least squares find them. It is a law of real processors: where threads
//! take turns on fewer, the operating system's scheduler is what is measured.

/// The two numbers of a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Law {
    pub(crate) contention: f64,
    pub(crate) coherence: f64,
}

impl Law {
    /// Fits the throughputs at numbers of workers, which begin with the throughput at 1. There is no law without two more points.
    pub(crate) fn fit(points: &[(usize, f64)]) -> Option<Self> {
        let (&(first, base), more) = points.split_first()?;
        if first != 1 || more.len() < 2 {
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
        let law = Self {
            contention: (ay * bb - by * ab) / determinant,
            coherence: (aa * by - ab * ay) / determinant,
        };
        (law.contention.is_finite() && law.coherence.is_finite()).then_some(law)
    }

    /// The throughput at `workers` as a multiple of that at 1.
    #[cfg(test)]
    fn at(self, workers: usize) -> f64 {
        let n = workers as f64;
        n / (1.0 + self.contention * (n - 1.0) + self.coherence * n * (n - 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_behind_a_curve_are_found() {
        let law = Law {
            contention: 0.04,
            coherence: 0.0007,
        };
        let points = [1, 2, 4, 8, 16, 32, 64].map(|workers| (workers, 3.0e6 * law.at(workers)));
        let found = Law::fit(&points).unwrap();
        assert!(
            (found.contention - law.contention).abs() < 1e-9,
            "{found:?}"
        );
        assert!((found.coherence - law.coherence).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn a_curve_with_noise_gives_numbers_nearby() {
        let law = Law {
            contention: 0.05,
            coherence: 0.001,
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
    }

    #[test]
    fn what_scales_without_end_has_neither() {
        let points = [1, 2, 4, 8].map(|workers| (workers, workers as f64));
        let found = Law::fit(&points).unwrap();
        assert!(found.contention.abs() < 1e-12 && found.coherence.abs() < 1e-12);
    }

    #[test]
    fn two_points_more_than_the_first_are_needed() {
        assert_eq!(Law::fit(&[(1, 1.0), (2, 1.9)]), None);
        assert_eq!(Law::fit(&[(2, 1.9), (4, 3.0), (8, 5.0)]), None);
        assert_eq!(Law::fit(&[]), None);
    }
}
