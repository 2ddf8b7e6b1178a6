//! Rules of the verdict: conditions, sentences, expectations.

use cel::common::ast::{Expr, IdedExpr};
use ringfence_model::scenario::{Expect, Note, Scenario, Why};

use super::document::{Document, Segment::At, Segment::Key};
use crate::check::Scope;
use crate::library::{ExpectOne, LoadedExpect, Rule, SeverityRule};
use crate::nearest::hint;

pub(super) fn severity_if(document: &mut Document<'_>, scenario: &Scenario, scope: &Scope<'_>) -> Vec<SeverityRule> {
    let mut rules = Vec::new();
    for (index, rule) in scenario.severity_if.iter().enumerate() {
        if rule.severity.is_none() && rule.level.is_none() {
            document.wrong(&[Key("severity_if"), At(index)], "a `severity_if` gives a `severity`, a `level` or both");
        }
        let when = document.condition(&[Key("severity_if"), At(index), Key("when")], &rule.when, scope);
        rules.extend(when.map(|when| SeverityRule { when, severity: rule.severity, level: rule.level }));
    }
    rules
}

pub(super) fn whys(document: &mut Document<'_>, key: &str, whys: &[Why], scope: &Scope<'_>) -> Vec<Rule> {
    let pairs: Vec<_> = whys.iter().map(|why| (why.when.as_str(), why.why.as_str())).collect();
    rules(document, key, "why", &pairs, scope)
}

pub(super) fn notes(document: &mut Document<'_>, notes: &[Note], scope: &Scope<'_>) -> Vec<Rule> {
    let pairs: Vec<_> = notes.iter().map(|note| (note.when.as_str(), note.text.as_str())).collect();
    rules(document, "note", "text", &pairs, scope)
}

fn rules(
    document: &mut Document<'_>,
    key: &str,
    sentence: &str,
    pairs: &[(&str, &str)],
    scope: &Scope<'_>,
) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (index, (when, text)) in pairs.iter().enumerate() {
        let when = document.condition(&[Key("verdict"), Key(key), At(index), Key("when")], when, scope);
        let sentence = document.template(&[Key("verdict"), Key(key), At(index), Key(sentence)], text, scope);
        rules.extend(when.zip(sentence).map(|(when, sentence)| Rule { when, sentence }));
    }
    rules
}

pub(super) fn expectations(document: &mut Document<'_>, scenario: &Scenario, scope: &Scope<'_>) -> Vec<LoadedExpect> {
    let mut expectations = Vec::new();
    for (index, expect) in scenario.verdict.expect.iter().enumerate() {
        let mut conditions = Vec::new();
        if expect.each.is_empty() {
            conditions.extend(one(document, index, expect, None, scenario, scope));
        }
        for (place, step) in expect.each.iter().enumerate() {
            let path = [Key("verdict"), Key("expect"), At(index), Key("each"), At(place)];
            let Some(position) = scenario.step.iter().position(|other| &other.name == step) else {
                let near = hint(step, scenario.step.iter().map(|step| step.name.as_str()));
                document.wrong(&path, format!("there is no step `{step}`{near}"));
                continue;
            };
            if expect.each.iter().take(place).any(|other| other == step) {
                document.wrong(&path, format!("`each` names step `{step}` twice"));
            }
            let mut scope = scope.clone();
            if let Some(ty) = scope.variables.get(step) {
                let itself = IdedExpr { id: position as u64, expr: Expr::Ident(step.clone()) };
                scope.stands_for.insert("it".into(), (ty.clone(), itself));
            }
            conditions.extend(one(document, index, expect, Some(step), scenario, &scope));
        }
        expectations.push(LoadedExpect { severity: expect.severity, conditions });
    }
    expectations
}

fn one(
    document: &mut Document<'_>,
    index: usize,
    expect: &Expect,
    step: Option<&String>,
    scenario: &Scenario,
    scope: &Scope<'_>,
) -> Option<ExpectOne> {
    let path = |key| [Key("verdict"), Key("expect"), At(index), Key(key)];
    let that = document.condition(&path("that"), &expect.that, scope);
    let otherwise = document.template(&path("else"), &expect.otherwise, scope);
    let (that, otherwise) = that.zip(otherwise)?;
    let mentions = &that.checked.mentions;
    if step.is_some_and(|step| !mentions.contains(step)) {
        document.wrong(&path("that"), "`each` names steps, and the condition never says `it`");
    } else if !scenario.step.iter().any(|step| mentions.contains(&step.name)) {
        document.wrong(&path("that"), "the condition mentions no step: it would judge nothing that was seen");
    }
    Some(ExpectOne { step: step.cloned(), that, otherwise })
}
