//! JSON: the report as it stands, in the order of its types, and the schema that it follows.

use ringfence_model::report::{REPORT_FORMAT, Report};
use ringfence_model::untrusted::inert_json;
use schemars::generate::SchemaSettings;

use crate::RenderError;

/// The report, pretty. The same text lies in the HTML page, byte for byte, which is why it holds no `<`.
pub fn render(report: &Report) -> Result<String, RenderError> {
    Ok(inert_json(&serde_json::to_string_pretty(report)?) + "\n")
}

/// The JSON Schema (draft 2020-12) of `ringfence.report/v1`. Within v1 fields are added, never changed or removed.
pub fn schema() -> String {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Report>();
    schema.insert("title".into(), REPORT_FORMAT.into());
    let text = serde_json::to_string_pretty(&schema);
    // A schema is a JSON value with text keys: nothing in it can fail to serialise.
    text.unwrap_or_default() + "\n"
}
