set -e
ssh-keygen -q -t ed25519 -N '' -f signer -C ci@example.test
ssh-keygen -q -Y sign -f signer -n ringfence run.jsonl
printf 'ci@example.test namespaces="ringfence" %s\n' "$(cat signer.pub)" > signers
ssh-keygen -Y verify -f signers -I ci@example.test -n ringfence -s run.jsonl.sig < run.jsonl
