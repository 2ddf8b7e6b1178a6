//! Temporary: random line-wise mutants of the seeds of one target. G removes it.
#![cfg(feature = "client")]
use ringfence_fuzz_kit::generators::stretch;
use ringfence_fuzz_kit::targets::named;

#[test]
#[ignore]
fn hammer() {
    let Ok(name) = std::env::var("HAMMER") else { return };
    let seconds: u64 = std::env::var("HAMMER_S").ok().and_then(|s| s.parse().ok()).unwrap_or(60);
    let target = named(&name).expect("a target");
    let seeds = (target.seeds)();
    let mut pool: Vec<Vec<u8>> = seeds.iter().flat_map(|s| s.bytes.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>()).collect();
    for extra in std::env::var("HAMMER_POOL").unwrap_or_default().split(';') { pool.push(extra.as_bytes().to_vec()); }
    let until = std::time::Instant::now() + std::time::Duration::from_secs(seconds);
    let mut n = std::env::var("HAMMER_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(0u64);
    let (begin, mut found) = (n, std::collections::BTreeSet::new());
    std::panic::set_hook(Box::new(|_| {}));
    while std::time::Instant::now() < until {
        n += 1;
        let random = stretch(n, 512);
        let mut at = 0;
        let mut next = |below: usize| { at += 2; (usize::from(random[at % 510]) * 256 + usize::from(random[at % 510 + 1])) % below.max(1) };
        let base = &seeds[next(seeds.len())].bytes;
        let mut lines: Vec<Vec<u8>> = base.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
        for _ in 0..=next(8) {
            let i = next(lines.len() + 1);
            match next(7) {
                0 | 1 | 2 => lines.insert(i.min(lines.len()), pool[next(pool.len())].clone()),
                3 => { if !lines.is_empty() { let i = i.min(lines.len() - 1); lines.remove(i); } }
                4 => { if !lines.is_empty() { let l = lines[i.min(lines.len() - 1)].clone(); lines.push(l); } }
                5 => { if let Some(l) = lines.get_mut(i) { if !l.is_empty() { let k = next(l.len()); l[k] = random[(n % 500) as usize]; } } }
                _ => { if lines.len() > 1 { let a = next(lines.len()); let b = next(lines.len()); lines.swap(a, b); } }
            }
        }
        let script = lines.join(&b'\n');
        if script.len() > target.max_len { continue; }
        let run = target.run;
        let outcome = std::panic::catch_unwind(move || { run(&script); });
        if let Err(said) = outcome {
            let text = said.downcast_ref::<String>().cloned().or(said.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default();
            let key: String = text.lines().next().unwrap_or_default().chars().take(110).filter(|c| !c.is_ascii_digit()).collect();
            if found.insert(key) {
                let script = lines.join(&b'\n');
                let path = format!("/tmp/i7/G/found-{name}-{n}");
                std::fs::write(&path, &script).unwrap();
                eprintln!("{path}: {}", text.chars().take(600).collect::<String>());
                if found.len() > 12 { break; }
            }
        }
    }
    eprintln!("{name}: {} runs, {} kinds", n - begin, found.len());
}
