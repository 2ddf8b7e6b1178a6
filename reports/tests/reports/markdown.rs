//! Markdown: small enough for a job's summary, and inert whatever the target says, as a CommonMark reader sees it.

use pulldown_cmark::{Event, Options, Parser, Tag};
use ringfence_reports::{Format, render};

use crate::poison::{self, CORPUS};
use crate::samples;

/// What GitHub takes of one step.
const LIMIT: usize = 1024 * 1024;

#[test]
fn five_hundred_huge_results_fit_and_what_is_left_out_is_counted() {
    let mut report = poison::poisoned(&"<x> \u{202e} `|` ".repeat(300));
    let results = report.results.clone();
    report.results = (0..5000).map(|i| results[i % results.len()].clone()).collect();
    let text = render(Format::Markdown, &report).unwrap();
    assert!(text.len() < LIMIT, "{}", text.len());
    assert!(text.contains("left out for their size"));
    assert!(text.trim_end().ends_with("stands in the HTML report."), "the page is whole");
    let ordinary = render(Format::Markdown, &samples::many(154)).unwrap();
    assert!(ordinary.len() < 100_000 && !ordinary.contains("left out"), "{}", ordinary.len());
}

#[test]
fn the_verdict_comes_first_and_the_rest_is_folded() {
    let text = render(Format::Markdown, &samples::many(154)).unwrap();
    let heading = text.lines().find(|line| !line.starts_with("<!--")).unwrap();
    assert_eq!(heading, "## ✗ Not conformant: `front-desk`");
    let unfolded = text.split("<details>").next().unwrap();
    assert_eq!(unfolded.lines().filter(|line| line.starts_with("- ")).count(), 10);
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
}

#[test]
fn target_text_becomes_no_markup() {
    for poison in CORPUS {
        let text = render(Format::Markdown, &poison::poisoned(poison)).unwrap();
        let mut code = String::new();
        for event in Parser::new_ext(&text, Options::all()) {
            match event {
                Event::Html(html) | Event::InlineHtml(html) => {
                    let ours = ["<!-- ringfence.report/v1 -->", "<details><summary>", "</details>"];
                    assert!(ours.iter().any(|start| html.trim().starts_with(start)), "{poison:?} became {html}");
                    assert!(html.matches('<').count() <= 3, "{poison:?} became {html}");
                }
                Event::Start(tag @ (Tag::Link { .. } | Tag::Image { .. } | Tag::CodeBlock(_) | Tag::BlockQuote(_))) => {
                    panic!("{poison:?} became {tag:?}")
                }
                Event::FootnoteReference(_) | Event::InlineMath(_) | Event::DisplayMath(_) | Event::Rule => {
                    panic!("{poison:?} became {event:?}")
                }
                Event::Text(plain) => {
                    for live in ['@', '#', '<', '`', '|', '\\', '$'] {
                        assert!(!plain.contains(live), "{poison:?} stands outside a code span: {plain}");
                    }
                    assert!(!plain.contains("://") && !plain.contains("www."), "{poison:?}: {plain}");
                }
                Event::Code(span) => code += &span,
                _ => {}
            }
        }
        let benign = render(Format::Markdown, &poison::poisoned("no harm")).unwrap();
        let shape = |text: &str| {
            let blocks = Parser::new_ext(text, Options::all()).filter_map(|event| match event {
                Event::Start(tag) if !matches!(tag, Tag::Emphasis | Tag::Strong) => Some(format!("{tag:?}")),
                _ => None,
            });
            blocks.collect::<Vec<_>>()
        };
        assert_eq!(shape(&text), shape(&benign), "{poison:?} changes the page's blocks");
        assert!(!code.is_empty());
    }
}

#[test]
fn no_line_is_an_order_to_a_ci_service() {
    for poison in CORPUS {
        let text = render(Format::Markdown, &poison::poisoned(poison)).unwrap();
        assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{poison:?}");
    }
}
