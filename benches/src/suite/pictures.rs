//! The pictures, as SVG.
//!
//! Each section has one of all its ratios, a row for each metric, with a mark for each peer at the median and a line over the quartiles.
//! What depends on a number (of connections, of workers) is drawn as a curve for each runtime.

use std::fs;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::figures::{Advantage, Line, Metric, runtimes};
use super::plan::{Curve, Section};
use crate::Result;
use crate::figures::shown;
use crate::stats::Spread;

pub(super) struct Picture {
    pub(super) file: String,
    pub(super) title: String,
    pub(super) svg: String,
}

/// Removes those of an earlier run, which may have had more.
pub(super) fn remove_all(directory: &Path) -> Result {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let mut sections = Section::ALL.iter();
        if name.ends_with(".svg") && sections.any(|section| name.starts_with(section.name)) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

pub(super) fn of(section: &Section, lines: &[Line]) -> Result<Vec<Picture>> {
    let mut pictures = Vec::new();
    // Rows of tables are too many for a picture, and mostly have curves.
    let plain: Vec<_> = lines
        .iter()
        .filter(|line| !line.is_row_of(section))
        .collect();
    pictures.extend(ratios(section, &plain)?);
    let mut groups: Vec<&str> = lines.iter().map(|line| &*line.group).collect();
    groups.dedup();
    for curve in section.curves {
        for group in &groups {
            let of_group: Vec<_> = lines.iter().filter(|line| line.group == *group).collect();
            pictures.extend(curves(section, curve, group, &of_group)?);
        }
    }
    Ok(pictures)
}

/// A row of the picture of ratios: its label, and for each peer that has one its number and the advantage over it.
type Row = (String, Vec<(usize, Advantage)>);

fn ratios(section: &Section, lines: &[&Line]) -> Result<Option<Picture>> {
    let names = runtimes(lines.iter().flat_map(|line| &line.metrics));
    let Some((_, peers)) = names.split_first() else {
        return Ok(None);
    };
    let several = lines.iter().any(|line| line.metrics.len() > 1);
    let row = |line: &Line, metric: &Metric| -> Row {
        let label = match (several, &*line.label()) {
            (false, label) => label.to_owned(),
            (true, "") => metric.name.clone(),
            (true, label) => format!("{label}: {}", metric.name),
        };
        let of_peers = peers.iter().enumerate();
        let advantages = of_peers.filter_map(|(peer, name)| Some((peer, metric.advantage(name)?)));
        (label, advantages.collect())
    };
    let rows = lines
        .iter()
        .flat_map(|line| line.metrics.iter().map(move |metric| row(line, metric)));
    let rows: Vec<Row> = rows
        .filter(|(_, advantages)| !advantages.is_empty())
        .collect();
    if rows.is_empty() {
        return Ok(None);
    }
    let spreads = rows.iter().flat_map(|(_, advantages)| advantages);
    let (mut low, mut high) = (0.5_f64, 2.0_f64);
    for (_, Advantage { spread, .. }) in spreads {
        (low, high) = (low.min(spread.low), high.max(spread.high));
    }
    let (low, high) = (power_of_2_below(low), 1.0 / power_of_2_below(1.0 / high));

    let height = TOP + ROW * rows.len() as i32 + BOTTOM;
    let title = format!("{}: times better than", section.title);
    let mut svg = String::new();
    {
        let area =
            SVGBackend::with_string(&mut svg, (WIDTH as u32, height as u32)).into_drawing_area();
        area.fill(&WHITE)?;
        text(&area, &title, (LEFT, 14), HPos::Right, 14, &BLACK)?;
        for (peer, name) in peers.iter().enumerate() {
            let x = LEFT + 12 + 100 * peer as i32;
            area.draw(&Circle::new((x, 14), 4, color(peer + 1).filled()))?;
            text(&area, name, (x + 10, 14), HPos::Left, 14, &BLACK)?;
        }
        let x_of = |ratio: f64| {
            let part = (ratio / low).ln() / (high / low).ln();
            LEFT + (part * f64::from(WIDTH - LEFT - RIGHT)) as i32
        };
        let mut tick = low;
        while tick <= high {
            let color = if tick == 1.0 {
                BLACK
            } else {
                RGBColor(220, 220, 220)
            };
            let line = vec![(x_of(tick), TOP - 6), (x_of(tick), height - BOTTOM)];
            area.draw(&PathElement::new(line, color.stroke_width(1)))?;
            text(
                &area,
                &tick.to_string(),
                (x_of(tick), height - BOTTOM + 12),
                HPos::Center,
                12,
                &BLACK,
            )?;
            tick *= 2.0;
        }
        for (index, (label, advantages)) in rows.iter().enumerate() {
            let middle = TOP + ROW * index as i32 + ROW / 2;
            text(&area, label, (LEFT - 10, middle), HPos::Right, 13, &BLACK)?;
            for (peer, Advantage { spread, .. }) in advantages {
                // Side by side, so that no mark hides another.
                let y = middle + 5 * *peer as i32 - 5 * (peers.len() as i32 - 1) / 2;
                let quartiles = vec![(x_of(spread.low), y), (x_of(spread.high), y)];
                area.draw(&PathElement::new(
                    quartiles,
                    color(peer + 1).stroke_width(2),
                ))?;
                area.draw(&Circle::new(
                    (x_of(spread.median), y),
                    3,
                    color(peer + 1).filled(),
                ))?;
            }
        }
        area.present()?;
    }
    Ok(Some(Picture {
        file: format!("{}-ratios.svg", section.name),
        title: format!("{}: ratios", section.title),
        svg,
    }))
}

/// A curve for each runtime, through the medians, with a line over the quartiles. Nothing for less than two points.
fn curves(
    section: &Section,
    curve: &Curve,
    group: &str,
    lines: &[&Line],
) -> Result<Option<Picture>> {
    let mut points: Vec<(f64, &Metric)> = lines
        .iter()
        .filter_map(|line| Some((line.number(curve.over)?, line.metric(curve.metric)?)))
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut names: Vec<&str> = Vec::new();
    let mut top = 0.0_f64;
    for (name, samples) in points.iter().flat_map(|(_, metric)| &metric.runtimes) {
        if !names.contains(&&**name) {
            names.push(name);
        }
        let high = Spread::of(samples).high;
        top = top.max(if high.is_finite() { high } else { 0.0 });
    }
    if points.len() < 2 || top == 0.0 {
        return Ok(None);
    }
    let title = match group {
        "" => format!("{}: {}", section.title, curve.metric),
        group => format!("{group}: {}", curve.metric),
    };
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH as u32, 360)).into_drawing_area();
        area.fill(&WHITE)?;
        let last = points.len() as i32 - 1;
        let mut chart = ChartBuilder::on(&area)
            .caption(&title, (FONT, 15))
            .margin(12)
            .x_label_area_size(36)
            .y_label_area_size(64)
            // Powers of two, mostly: one step for each.
            .build_cartesian_2d(0..last, 0.0..top * 1.05)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_labels(points.len())
            .x_label_formatter(&|index| {
                points
                    .get(*index as usize)
                    .map_or(String::new(), |point| point.0.to_string())
            })
            .y_label_formatter(&|value| shown(*value))
            .x_desc(curve.over)
            .draw()?;
        for (index, name) in names.iter().enumerate() {
            let of_runtime: Vec<(i32, Spread)> = (0..)
                .zip(&points)
                .filter_map(|(at, (_, metric))| {
                    let (_, samples) = metric.runtimes.iter().find(|(of, _)| of == name)?;
                    let spread = Spread::of(samples);
                    spread.high.is_finite().then_some((at, spread))
                })
                .collect();
            let color = color(index);
            let medians = of_runtime.iter().map(|(at, spread)| (*at, spread.median));
            chart
                .draw_series(LineSeries::new(medians, color.stroke_width(2)))?
                .label(*name)
                .legend(move |(x, y)| {
                    PathElement::new(vec![(x, y), (x + 16, y)], color.stroke_width(2))
                });
            chart.draw_series(of_runtime.iter().map(|(at, spread)| {
                PathElement::new(
                    vec![(*at, spread.low), (*at, spread.high)],
                    color.stroke_width(4),
                )
            }))?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerRight)
            .background_style(WHITE)
            .border_style(RGBColor(220, 220, 220))
            .draw()?;
        area.present()?;
    }
    Ok(Some(Picture {
        file: file_name(&[section.name, group, curve.metric]),
        title,
        svg,
    }))
}

fn text(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    text: &str,
    at: (i32, i32),
    side: HPos,
    size: i32,
    color: &RGBColor,
) -> Result {
    let style = (FONT, size).into_font().color(color);
    area.draw(&Text::new(
        text,
        at,
        style.pos(Pos::new(side, VPos::Center)),
    ))?;
    Ok(())
}

/// Ours is blue; they can be told apart by who sees few colours, too.
fn color(runtime: usize) -> RGBColor {
    const COLORS: [RGBColor; 6] = [
        RGBColor(0, 114, 178),
        RGBColor(213, 94, 0),
        RGBColor(0, 158, 115),
        RGBColor(204, 121, 167),
        RGBColor(120, 120, 120),
        RGBColor(230, 159, 0),
    ];
    COLORS[runtime % COLORS.len()]
}

fn power_of_2_below(ratio: f64) -> f64 {
    ratio.log2().floor().exp2()
}

/// `http-requests-s.svg`: letters and digits of all parts, and dashes.
fn file_name(parts: &[&str]) -> String {
    let parts = parts.join("-");
    let words = parts.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    format!("{}.svg", words.join("-").to_lowercase())
}

/// The reader's machine has it.
const FONT: &str = "sans-serif";
const WIDTH: i32 = 820;
const LEFT: i32 = 280;
const RIGHT: i32 = 24;
const TOP: i32 = 36;
const BOTTOM: i32 = 28;
const ROW: i32 = 26;

#[cfg(test)]
mod tests {
    use super::*;

    fn line(connections: f64, samples: [f64; 3]) -> Line {
        let metric = |name: &str| Metric {
            name: name.to_owned(),
            lives: Vec::new(),
            in_mean: true,
            more_is_better: name == "requests/s",
            runtimes: vec![
                ("executor".to_owned(), vec![1.0; 3]),
                ("tokio".to_owned(), samples.to_vec()),
            ],
        };
        Line {
            group: String::new(),
            counts: format!("{connections} connections"),
            numbers: vec![("connections".to_owned(), connections)],
            metrics: vec![metric("requests/s"), metric("p99 us")],
        }
    }

    #[test]
    fn a_section_has_its_ratios_and_its_curves() {
        let section = Section::named("http").unwrap();
        let lines = [line(1.0, [2.0, 3.0, 0.1]), line(64.0, [9.0, 3.0, 1.0])];
        let pictures = of(section, &lines).unwrap();
        let files: Vec<_> = pictures.iter().map(|picture| &*picture.file).collect();
        assert_eq!(
            files,
            ["http-ratios.svg", "http-requests-s.svg", "http-p99-us.svg"]
        );
        for Picture { svg, file, .. } in &pictures {
            assert!(
                svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"),
                "{file}"
            );
            assert!(svg.contains("tokio"), "{file}");
        }
    }

    #[test]
    fn what_has_no_ratio_and_no_second_point_has_no_picture() {
        let section = Section::named("http").unwrap();
        let never = [f64::INFINITY; 3];
        assert!(of(section, &[line(1.0, never)]).unwrap().is_empty());
        assert!(of(section, &[]).unwrap().is_empty());
    }
}
