//! Medians, quantiles and ratios.

use std::fmt;

/// How a set of values is spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    /// The lower quartile.
    pub(crate) low: f64,
    pub(crate) median: f64,
    /// The upper quartile.
    pub(crate) high: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// # Panics
    ///
    /// If there are no values.
    pub(crate) fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        Self {
            min: quantile(&sorted, 0.0),
            low: quantile(&sorted, 0.25),
            median: quantile(&sorted, 0.5),
            high: quantile(&sorted, 0.75),
            max: quantile(&sorted, 1.0),
        }
    }
}

/// `median  min low high max`, as in the head [`Spread::HEAD`].
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            min,
            low,
            median,
            high,
            max,
        } = self;
        write!(f, "{median:7.3}   {min:7.3} {low:7.3} {high:7.3} {max:7.3}")
    }
}

impl Spread {
    pub(crate) const HEAD: &str = " median       min     p25     p75     max";
}

pub(crate) fn median(values: &[f64]) -> f64 {
    Spread::of(values).median
}

/// What the median of the distribution that the values are from is not below, with a confidence of 95 %.
///
/// By order statistics: of `n` values that know nothing of each other, fewer than `k` lie below the median as rarely as a fair coin
/// shows heads fewer than `k` times in `n`. Nothing is assumed of the distribution. Fewer than 5 values bound nothing.
pub(crate) fn lower_bound(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len();
    // That exactly, and that at most, `rank` lie below.
    let mut exactly = 0.5_f64.powi(count as i32);
    let (mut at_most, mut rank) = (exactly, 0);
    while at_most <= 0.05 {
        rank += 1;
        exactly *= (count - rank + 1) as f64 / rank as f64;
        at_most += exactly;
    }
    Some(sorted[rank.checked_sub(1)?])
}

/// The same of rounds among which those of one life know of each other: `lives` says how many rounds each life had. Then the medians of the lives are
/// what knows nothing of each other, and the bound is one of the median of all such medians. Where `lives` is of other rounds than these, each is one.
pub(crate) fn lower_bound_by_lives(values: &[f64], lives: &[usize]) -> Option<f64> {
    if lives.iter().sum::<usize>() != values.len() {
        return lower_bound(values);
    }
    let mut rest = values;
    let mut medians = Vec::new();
    for &rounds in lives.iter().filter(|rounds| **rounds > 0) {
        let (life, more) = rest.split_at(rounds);
        medians.push(median(life));
        rest = more;
    }
    lower_bound(&medians)
}

/// The value below which the fraction `q` of the `sorted` values lies, interpolated between neighbours.
pub(crate) fn quantile(sorted: &[f64], q: f64) -> f64 {
    assert!(!sorted.is_empty(), "no values: run at least one round");
    let position = q * (sorted.len() - 1) as f64;
    let (below, above) = (position.floor() as usize, position.ceil() as usize);
    let (low, high) = (sorted[below], sorted[above]);
    // Also where both are infinite, which have no difference.
    if low == high {
        return low;
    }
    low + (high - low) * position.fract()
}

/// The ratios `other / base`, round by round.
pub(crate) fn ratios(base: &[f64], other: &[f64]) -> Vec<f64> {
    base.iter()
        .zip(other)
        .map(|(base, other)| other / base)
        .collect()
}

pub(crate) fn geometric_mean(values: &[f64]) -> f64 {
    (values.iter().map(|value| value.ln()).sum::<f64>() / values.len() as f64).exp()
}

/// How much the second of each pair grows when the first grows by 1, by least squares.
pub(crate) fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let (mut above, mut below) = (0.0, 0.0);
    for point in points {
        above += (point.0 - x) * (point.1 - y);
        below += (point.0 - x).powi(2);
    }
    above / below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(median(&[9.0, 1.0, 5.0]), 5.0);
    }

    #[test]
    fn a_spread_has_the_ends_and_the_quartiles() {
        let spread = Spread::of(&[5.0, 3.0, 1.0, 4.0, 2.0]);
        assert_eq!(
            spread,
            Spread {
                min: 1.0,
                low: 2.0,
                median: 3.0,
                high: 4.0,
                max: 5.0
            }
        );
    }

    #[test]
    fn one_value_is_all_of_its_quantiles() {
        assert_eq!(quantile(&[7.0], 0.99), 7.0);
    }

    #[test]
    fn quantiles_are_interpolated() {
        assert_eq!(quantile(&[0.0, 10.0], 0.9), 9.0);
    }

    #[test]
    fn quantiles_of_what_never_happened_are_infinite() {
        let sorted = [1.0, 2.0, f64::INFINITY, f64::INFINITY];
        assert_eq!(quantile(&sorted, 1.0), f64::INFINITY);
        assert_eq!(quantile(&sorted, 0.5), f64::INFINITY, "half of it never");
        assert_eq!(quantile(&sorted, 0.25), 1.75);
    }

    #[test]
    #[should_panic(expected = "at least one round")]
    fn no_values_have_no_median() {
        median(&[]);
    }

    #[test]
    fn the_lower_bound_of_a_median_is_the_rank_that_the_binomial_gives() {
        let values: Vec<f64> = (1..=40).map(f64::from).collect();
        // From tables of the sign test, one-sided, 5 %.
        for (count, rank) in [(5, 1.0), (8, 2.0), (11, 3.0), (21, 7.0), (40, 15.0)] {
            assert_eq!(lower_bound(&values[..count]), Some(rank), "{count}");
        }
        assert_eq!(lower_bound(&values[..4]), None);
        assert_eq!(lower_bound(&[]), None);
    }

    #[test]
    fn rounds_of_one_life_bound_as_much_as_one() {
        let rounds = [1.0, 2.0, 3.0].repeat(6);
        assert_eq!(lower_bound(&rounds), Some(1.0));
        assert_eq!(lower_bound_by_lives(&rounds, &[3; 6]), Some(2.0));
        assert_eq!(
            lower_bound_by_lives(&rounds[..12], &[3; 4]),
            None,
            "four lives bound nothing"
        );
        // One of each life has been counted.
        assert_eq!(lower_bound_by_lives(&rounds[..6], &[3; 6]), Some(1.0));
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        assert_eq!(ratios(&[1.0, 4.0], &[2.0, 2.0]), [2.0, 0.5]);
    }

    #[test]
    fn the_slope_of_points_around_a_line_is_the_lines() {
        let points = [(0.0, 1.0), (1.0, 5.0), (2.0, 3.0), (3.0, 7.0)];
        assert!((slope(&points) - 1.6).abs() < 1e-12);
    }

    #[test]
    fn the_geometric_mean_of_a_ratio_and_its_inverse_is_1() {
        assert!((geometric_mean(&[4.0, 0.25]) - 1.0).abs() < 1e-12);
    }
}
