//! Whether `openssl s_server` invites early data, as it was told to.

use ringfence_client::Net;
use ringfence_model::observation::Outcome;

use super::openssl::Server;
use super::servers::{net, there};

async fn told(arguments: &[&str]) -> Result<Option<bool>, Outcome> {
    let server = Server::start(arguments, &["P-256"]);
    let net: Net = net();
    let told = net.early_data(&server.address.ip().to_string(), server.address.port()).await;
    told.map_err(|failure| failure.outcome)
}

#[tokio::test]
async fn a_server_invites_early_data_if_it_was_told_to() {
    if !there("openssl", "openssl") {
        return;
    }
    for (arguments, expected) in [
        (&["-tls1_3", "-rev", "-max_early_data", "16384"][..], Ok(Some(true))),
        (&["-early_data"], Ok(Some(true))), // which answers no request
        (&["-tls1_3", "-rev"], Ok(Some(false))),
        (&["-tls1_3"], Ok(Some(false))),
        (&["-tls1_2", "-rev"], Err(Outcome::TlsFailed)),
    ] {
        assert_eq!(told(arguments).await, expected, "{arguments:?}");
    }
}
