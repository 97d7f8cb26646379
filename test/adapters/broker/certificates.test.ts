import { X509Certificate } from "node:crypto";
import { createServer, connect } from "node:tls";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { issueCertificate, makeAuthority } from "../../../src/adapters/broker/certificates.ts";

describe("certificates", () => {
  it("are signed by their authority, name their hosts, and are fresh each time", () => {
    const authority = makeAuthority("authority");
    const { cert } = issueCertificate(authority, { commonName: "broker", dnsNames: ["localhost"], addresses: ["127.0.0.1"] });
    const [root, leaf] = [new X509Certificate(authority.cert), new X509Certificate(cert)];
    expect(root.ca).toBe(true);
    expect(leaf.ca).toBe(false);
    expect(leaf.verify(root.publicKey)).toBe(true);
    expect(leaf.checkHost("localhost")).toBe("localhost");
    expect(leaf.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(leaf.verify(new X509Certificate(makeAuthority("authority").cert).publicKey)).toBe(false);
  });

  it("hold in a handshake where both sides verify the other", async () => {
    const authority = makeAuthority("authority");
    const server = issueCertificate(authority, { commonName: "broker", dnsNames: ["localhost"], addresses: ["127.0.0.1"] });
    const client = issueCertificate(authority, { commonName: "client", dnsNames: [], addresses: [] });
    const listener = createServer({ cert: server.cert, key: server.key, ca: authority.cert, requestCert: true, rejectUnauthorized: true });
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const seen = new Promise<string>((resolve) =>
      listener.once("secureConnection", (socket) => resolve(String(socket.getPeerCertificate().subject.CN))),
    );
    const { port } = listener.address() as AddressInfo;
    const socket = connect({ host: "127.0.0.1", port, ca: authority.cert, cert: client.cert, key: client.key });
    await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
    expect(socket.authorized).toBe(true);
    expect(await seen).toBe("client");
    socket.destroy();
    await new Promise((resolve) => listener.close(resolve));
  });
});
