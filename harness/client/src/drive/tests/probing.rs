//! Who only asks whether the service is alive.

use super::*;
use crate::drive::prober::{Prober, ProberPlan};

fn plan(address: &str) -> ProberPlan {
    ProberPlan { config: config(address), origin: None, seed: 1 }
}

#[tokio::test]
async fn any_final_answer_is_a_sign_of_life() {
    for status in [200, 401, 405, 503, 603] {
        let (address, mut heard) = sip_server(move |mut peer, tell| async move {
            while let Some(request) = peer.next().await {
                peer.answer(&request, 100, "", "").await;
                peer.answer(&request, status, "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"", "").await;
                tell.send(request.method()?.into()).ok()?;
            }
            Some(())
        })
        .await;
        let prober = Prober::start(&net(), plan(&address));
        for _ in 0..3 {
            assert_eq!(heard.recv().await.unwrap(), "OPTIONS");
        }
        prober.mark().await;
        let seen = prober.finish().await;
        assert!(seen.sent >= 3 && seen.lost == 0 && seen.lost_before == 0, "{status}: {seen:?}");
    }
}

#[tokio::test]
async fn a_close_is_one_loss_and_the_next_connection_goes_on() {
    let closed = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (address, mut heard) = sip_server(move |mut peer, tell| {
        let closed = closed.clone();
        async move {
            while let Some(request) = peer.next().await {
                if !closed.swap(true, std::sync::atomic::Ordering::Relaxed) {
                    return None;
                }
                peer.answer(&request, 200, "", "").await;
                tell.send(request.method()?.into()).ok()?;
            }
            Some(())
        }
    })
    .await;
    let prober = Prober::start(&net(), plan(&address));
    for _ in 0..2 {
        heard.recv().await.unwrap();
    }
    prober.mark().await;
    assert_eq!(prober.lost_in_a_row(), 0, "the answers behind it end the row");
    let seen = prober.finish().await;
    assert_eq!((seen.lost, seen.lost_before), (1, 1), "{seen:?}");
    assert!(seen.sent >= 3 && seen.max_gap_ms > 0);
}

/// 503 to every third question from the fourth on, by a server that has ended each connection after two.
#[tokio::test]
async fn what_was_no_failure_before_is_a_loss_and_a_close_alone_is_none() {
    let number = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let (address, mut heard) = sip_server(move |mut peer, tell| {
        let number = number.clone();
        async move {
            for _ in 0..2 {
                let request = peer.next().await?;
                let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                peer.answer(&request, if number > 2 && number.is_multiple_of(3) { 503 } else { 200 }, "", "").await;
                tell.send(request.method()?.into()).ok()?;
            }
            Some(())
        }
    })
    .await;
    let prober = Prober::start(&net(), plan(&address));
    heard.recv().await.unwrap();
    prober.mark().await;
    for _ in 0..5 {
        heard.recv().await.unwrap(); // the fourth is a 503
    }
    prober.mark().await;
    for _ in 0..3 {
        heard.recv().await.unwrap(); // so is the seventh
    }
    let seen = prober.finish().await;
    assert!(seen.lost_before == 1 && seen.lost >= 2 && seen.lost <= 3, "{seen:?}");
    assert!((1..=3).contains(&seen.closed), "closed on after two, and counted from the mark: {seen:?}");
    assert!(seen.sent >= 8 && seen.max_gap_ms < 2000, "{seen:?}");
}

#[tokio::test]
async fn silence_and_a_closed_port_are_losses() {
    let (silent, mut heard) = sip_server(|mut peer, tell| async move {
        while let Some(request) = peer.next().await {
            tell.send(request.method()?.into()).ok()?;
        }
        Some(())
    })
    .await;
    let prober = Prober::start(&net(), plan(&silent));
    prober.mark().await;
    heard.recv().await.unwrap();
    let seen = prober.finish().await;
    assert!(seen.lost == seen.sent && seen.sent >= 1 && seen.lost_before == 0, "{seen:?}");
    assert!(seen.max_gap_ms >= 2000, "{seen:?}");

    let prober = Prober::start(&net(), plan("ws://127.0.0.1:1/"));
    while prober.lost_in_a_row() < 2 {
        prober.mark().await;
    }
    let seen = prober.finish().await;
    assert!(seen.lost >= 2 && seen.lost_before >= 1, "{seen:?}");
}
