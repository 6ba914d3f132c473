"""sasld's contract from another language: what protoc and its gRPC plug-in make of proto/, in Python."""
import os
import pathlib
import subprocess
import sys

# Before grpc is imported: tests start programs, and gRPC's own handling of fork() is not wanted.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
import grpc

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 30


class Contract:
    """`pb2`: the messages of sasl.proto. stub(): the service. Wants a folder to generate into."""

    def __init__(self, folder):
        folder.mkdir()
        subprocess.run(["protoc", "-I", CHECKOUT / "proto", f"--python_out={folder}",
                        f"--grpc_python_out={folder}",
                        "--plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin",
                        CHECKOUT / "proto/sasld/v1/sasl.proto"], check=True)
        sys.path.insert(0, str(folder))
        from sasld.v1 import sasl_pb2, sasl_pb2_grpc
        self.pb2 = sasl_pb2
        self._grpc = sasl_pb2_grpc
        self._channel = None

    def stub(self, socket_path):
        if self._channel is None:
            self._channel = grpc.insecure_channel(f"unix:{socket_path}")
        return self._grpc.SaslStub(self._channel)

    def close(self):
        if self._channel:
            self._channel.close()
            self._channel = None
