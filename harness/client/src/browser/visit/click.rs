//! Clicks as a visitor makes them: real input at the middle of an element that is there and can be seen.

use std::time::Duration;

use ringfence_model::observation::Outcome;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::watch::Context;
use super::{COMMAND, NOTICE, PAGE_COMMAND, Start, TICK, Visitor};
use crate::Failure;

/// Finds the first element of a selector that can be clicked, open shadow roots included.
const FIND: &str = r#"((selector) => {
  let left = 20000;
  const usable = (element) => {
    const { width, height } = element.getBoundingClientRect();
    return width > 0 && height > 0 && !element.disabled && getComputedStyle(element).visibility !== "hidden";
  };
  const find = (root) => {
    const found = [...root.querySelectorAll(selector)].find(usable);
    if (found) return found;
    for (const element of root.querySelectorAll("*")) {
      if (--left < 0) return null;
      const inside = element.shadowRoot && find(element.shadowRoot);
      if (inside) return inside;
    }
    return null;
  };
  return find(document);
})"#;

impl Visitor<'_> {
    /// Accepts a privacy notice, if one appears, and starts the call.
    pub(super) async fn start(&mut self, start: &Start) -> Result<(), Failure> {
        let until = Instant::now() + NOTICE;
        while self.plan.accept.is_some() && Instant::now() < until && !self.accept().await {
            self.tick().await?;
        }
        self.note_click();
        match start {
            Start::Script(script) => {
                let params = json!({ "expression": script, "userGesture": true });
                let ran = self.page_call("Runtime.evaluate", params, COMMAND).await;
                let thrown =
                    ran.as_ref().ok().and_then(|ran| ran["exceptionDetails"]["exception"]["description"].as_str());
                match (&ran, thrown) {
                    (Ok(_), None) => Ok(()),
                    (Ok(_), Some(why)) => Err(Failure::protocol(format!("page.start: the script failed: {why}"))),
                    (Err(error), _) => Err(Failure::new(Outcome::Timeout, format!("page.start: {error}"))),
                }
            }
            Start::Button(selector) => {
                if !self.click(selector, self.plan.load_within).await {
                    return Err(Failure::protocol(format!("page.start: no element {selector} that can be clicked")));
                }
                // What can be clicked has come, though something else of the page may still be on its way.
                self.visited.loaded = true;
                Ok(())
            }
        }
    }

    /// Clicks what accepts a privacy notice, where it is there.
    pub(super) async fn accept(&mut self) -> bool {
        let Some(selector) = &self.plan.accept else { return false };
        let Some((document, object)) = self.find(selector).await else { return false };
        let before = self.captures();
        self.note_click();
        let clicked = self.press(&document, &object).await;
        self.visited.notice_first |= clicked && before == 0;
        clicked
    }

    /// The microphone was either asked for before the first click, or was not.
    fn note_click(&mut self) {
        let first = self.session.change(|watch| !std::mem::replace(&mut watch.clicked, true));
        if first {
            self.visited.captured_unasked = self.captures() > 0;
        }
    }

    /// Clicks an element as soon as it can be clicked; false where that does not happen in time.
    pub(super) async fn click(&mut self, selector: &str, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        loop {
            if let Some((document, object)) = self.find(selector).await
                && self.press(&document, &object).await
            {
                return true;
            }
            if Instant::now() >= until {
                return false;
            }
            tokio::time::sleep(TICK).await;
        }
    }

    /// The document and the name of an element.
    async fn find(&self, selector: &str) -> Option<(Context, String)> {
        let found = self.in_every_document(&format!("{FIND}({})", Value::from(selector))).await;
        let object = |answer: &Value| answer["result"]["objectId"].as_str().map(str::to_owned);
        found.into_iter().find_map(|(document, answer)| Some((document, object(&answer)?)))
    }

    async fn press(&self, document: &Context, object: &str) -> bool {
        let session = Some(document.session.as_str());
        let element = json!({ "objectId": object });
        let shown = self.session.call(session, "DOM.scrollIntoViewIfNeeded", element.clone(), PAGE_COMMAND).await;
        let quads = self.session.call(session, "DOM.getContentQuads", element, PAGE_COMMAND).await;
        let (Ok(_), Ok(quads)) = (shown, quads) else { return false };
        let Some((x, y)) = middle(&quads["quads"][0]) else { return false };
        for (kind, button, count) in
            [("mouseMoved", "none", 0), ("mousePressed", "left", 1), ("mouseReleased", "left", 1)]
        {
            let params = json!({ "type": kind, "x": x, "y": y, "button": button, "clickCount": count });
            if self.session.call(session, "Input.dispatchMouseEvent", params, COMMAND).await.is_err() {
                return false;
            }
        }
        true
    }
}

/// The middle of four corners.
fn middle(quad: &Value) -> Option<(f64, f64)> {
    let numbers: Vec<f64> = quad.as_array()?.iter().filter_map(Value::as_f64).collect();
    let [x1, y1, x2, y2, x3, y3, x4, y4] = numbers.as_slice() else { return None };
    Some(((x1 + x2 + x3 + x4) / 4.0, (y1 + y2 + y3 + y4) / 4.0))
}
