#!/bin/bash -eu
# ClusterFuzzLite wants a file of this name here; the Dockerfile puts OSS-Fuzz's in its place.
exec "$SRC/ringfence/fuzz/oss-fuzz/build.sh"
