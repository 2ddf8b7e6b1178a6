//! `decode-token` and `use-token` against a lab, in a scenario from outside: what the lab hands out is opaque, good for one
//! connection, and has nothing that could be forged.

mod support;

use std::sync::Arc;

use ringfence_model::verdict::State;
use support::{ask, library_of};

const SCENARIO: &str = r#"
id = "tokens/outside"
title = "x"
severity = "low"
level = "must"
intrusion = "active"
adapters = ["any"]
needs = []
manual = { why = "x", how = "x", remedy = "x", limits = "x" }
[[step]]
name = "a"
probe = "fetch-config"
[[step]]
name = "b"
probe = "fetch-config"
with = { participant = 2 }
[[step]]
name = "read"
probe = "decode-token"
with = { from = "a", compare = ["a", "b"] }
[[step]]
name = "used"
probe = "use-token"
with = { from = "a", at = "sip", times = 2, address = "second" }
control = "used.accepted"
[[step]]
name = "forged"
probe = "use-token"
with = { from = "a", at = "sip", forge = "bad-signature" }
[[step]]
name = "no_token"
probe = "use-token"
with = { from = "a", at = "config" }
[verdict]
[[verdict.expect]]
that = "read.format == 'opaque' && read.entropy_bits == 128 && !has(read.issued_at) && !has(read.expires_at)"
else = "{{ read.format }} {{ read.entropy_bits }}"
[[verdict.expect]]
that = "size(read.compared) == 2 && read.compared[0].token == a.config.password && read.compared[1].token == b.config.password"
else = "the compared tokens are others"
[[verdict.expect]]
that = "used.statuses == [200, 200]"
else = "{{ used.statuses }}"
[[verdict.expect]]
that = "forged.outcome == 'protocol' && size(forged.statuses) == 0 && no_token.outcome == 'protocol'"
else = "an opaque token was forged, or one presented that there is not"
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_a_lab() {
    let library = Arc::new(library_of("tokens/outside.toml", SCENARIO));
    let asked = ask(library, "tokens/outside", None).await;
    assert_eq!(asked.verdict.state, State::Pass, "{:#?}\n{}", asked.verdict, asked.journal);
}
