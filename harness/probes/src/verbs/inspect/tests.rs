use super::pages::{measured, personal_data, reused, user_ids};
use super::*;
use crate::{Frame, Identifier, IdentifierKind};

const INVITE: &str = "INVITE sip:desk@pbx.test SIP/2.0\r\nVia: SIP/2.0/WSS a1.invalid;branch=z9hG4bK1\r\n\
    From: \"Web\" <sip:v-7f@pbx.test>;tag=1\r\nTo: <sip:+4930123456@pbx.test>\r\nCall-ID: x@mail.example.com\r\n\
    CSeq: 1 INVITE\r\nContent-Type: application/sdp\r\n\r\nv=0\r\no=- 4611731400430051336 2 IN IP4 10.1.2.3\r\n\
    a=ssrc:1 cname:u@host.example.com\r\n";

fn visit(identifiers: &[(IdentifierKind, &str)], frames: &[&str]) -> Visit {
    Visit {
        identifiers: identifiers
            .iter()
            .map(|(kind, value)| Identifier { kind: kind.clone(), value: (*value).into() })
            .collect(),
        frames: frames.iter().map(|text| Frame { sent: true, text: (*text).into() }).collect(),
    }
}

fn words(found: &[Leak]) -> Vec<(&str, &str)> {
    found.iter().map(|leak| (leak.kind.as_str(), leak.place.as_str())).collect()
}

#[test]
fn an_honest_invite_holds_no_personal_data() {
    let honest = visit(&[(IdentifierKind::UserId, "v-7f"), (IdentifierKind::DisplayName, "Web")], &[INVITE]);
    assert_eq!(personal_data(&["erika@example.com".into()], &[], &[&honest]), []);
}

#[test]
fn personal_data_is_found_in_names_and_beside_them() {
    let names = visit(
        &[
            (IdentifierKind::UserId, "erika%40example.com"),
            (IdentifierKind::Header("x-user".into()), "6572696b61406578616d706c652e636f6d"),
            (IdentifierKind::ContactUser, "+4917012345678"),
        ],
        &[],
    );
    let found = personal_data(&[], &[], &[&names]);
    assert_eq!(words(&found), [("email", "user-id"), ("email", "x-user"), ("phone", "contact-user")]);
    let beside = INVITE.replace("CSeq:", "P-Preferred-Identity: <sip:a@b.test>, <mailto:erika@example.com>\r\nCSeq:");
    assert_eq!(words(&personal_data(&[], &[], &[&visit(&[], &[&beside])])), [("email", "header")]);
    let own = ["+4917012345678".to_owned()];
    let found = personal_data(&[], &own, &[&names]);
    assert!(!found.iter().any(|leak| leak.kind == "phone"), "the desk's own number: {found:?}");
    let version = visit(&[(IdentifierKind::Header("x-client-version".into()), "3.10.0.1")], &[]);
    assert_eq!(personal_data(&[], &[], &[&version]), []);
    let json = r#"{"type":"join","user":"Erika Mustermann"}"#;
    let found = personal_data(&["Mustermann, Erika".into(), "erika mustermann".into()], &[], &[&visit(&[], &[json])]);
    assert_eq!(words(&found), [("test-user", "message")]);
    let mut received = visit(&[], &[json]);
    received.frames.iter_mut().for_each(|frame| frame.sent = false);
    assert_eq!(personal_data(&["erika mustermann".into()], &[], &[&received]), []);
}

#[test]
fn names_that_come_again_or_count_are_told() {
    let id = |value: &str| visit(&[(IdentifierKind::UserId, value), (IdentifierKind::DisplayName, "Web")], &[]);
    let (one, two, three) = (id("visitor-1"), id("visitor-2"), id("visitor-2"));
    let all = measured(&[&one, &two, &three]);
    let user = all.iter().find(|seen| seen.field == "user-id").unwrap();
    assert_eq!(user.bits, 0);
    let fields = |visits: &[&Visit]| reused(visits).into_iter().map(|seen| seen.field).collect::<Vec<_>>();
    assert_eq!(fields(&[&one, &two]), ["display-name"]);
    assert_eq!(fields(&[&one, &two, &three]), ["display-name", "user-id"]);
    assert!(fields(&[&one]).is_empty());
    let nobody = id("Anonymous");
    assert_eq!((fields(&[&nobody, &nobody]), user_ids(&nobody).count()), (vec!["display-name".to_owned()], 0));
}
