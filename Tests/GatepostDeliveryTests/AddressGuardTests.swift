import Curl
import GatepostDelivery
import GatepostModel
import Synchronization
import TestSupport
import Testing

/// Which addresses may be dialled, and that no spelling of a host gets around it.
@Suite(.timeLimit(.minutes(2)))
struct AddressGuardTests {
    private func allows(_ text: String, _ exceptions: [String] = []) throws -> Bool {
        let bytes = try #require(SocketAddress.bytes(of: text))
        let ranges = try exceptions.map { try #require(AddressRange($0)) }
        return AddressGuard(privateAllowed: ranges)
            .allows(SocketAddress(family: bytes.count == 4 ? .ipv4 : .ipv6, bytes: bytes, port: 443))
    }

    @Test(arguments: [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1",
        "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1",
        "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1",
        "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1.2.3.4",
        "100::1", "2001::1", "2001:0:7f00:1::", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::",
        "2002:808:808::", "3fff::1", "3ffe::1", "4000::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1",
        "fec0::1", "ff02::1", "ffff::1",
    ])
    func `an address that is not public is refused`(address: String) throws {
        #expect(try !allows(address))
    }

    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.1", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0",
        "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "2001:200::1",
        "2001:db7::1", "2003::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
    ])
    func `a public address right beside a private range is allowed`(address: String) throws {
        #expect(try allows(address))
    }

    @Test func `an exception allows its range only, inside a mapped address too`() throws {
        #expect(try allows("127.0.0.1", ["127.0.0.0/8"]) && allows("::ffff:127.0.0.1", ["127.0.0.0/8"]))
        #expect(try !allows("10.0.0.1", ["127.0.0.0/8"]) && !allows("::1", ["127.0.0.0/8"]))
        #expect(try allows("::1", ["::1"]) && !allows("::2", ["::1"]))
    }

    @Test func `what is neither IPv4 nor IPv6 is refused`() {
        let guarded = AddressGuard(privateAllowed: [])
        #expect(!guarded.allows(SocketAddress(family: .other, bytes: [], port: 0)))
        #expect(!guarded.allows(SocketAddress(family: .ipv4, bytes: [8, 8, 8], port: 0)))
        #expect(!guarded.allows(SocketAddress(family: .ipv6, bytes: [8, 8, 8, 8], port: 0)))
    }

    @Test(arguments: [
        "", "/8", "127.0.0.1/8", "10.0.0.0/33", "::1/129", "::1/64", "127.1", "0x7f.0.0.1", "127.0.0.0/",
        "127.0.0.0/-1", "127.0.0.0/+8", "127.0.0.0/8/8", "localhost", "[::1]", "fe80::1%lo", "127.0.0.0/8 ",
        "127.0.0.0/8\0",
    ])
    func `a range that is not plainly written is no range`(text: String) {
        #expect(AddressRange(text) == nil)
    }

    @Test func `no spelling of a loopback or private host is dialled`() async throws {
        try await HTTPSink.running { sink in
            let refusing = try HTTPTransport(guard: AddressGuard(), allowsPlainHTTP: true)
            for host in PrivateHosts.all {
                for scheme in ["http", "https"] {
                    let result = await refusing.post(
                        [], to: "\(scheme)://\(host):\(sink.port)/", headers: [], now: now, deadline: .seconds(5))
                    #expect(result.outcome != .delivered && result.outcome != .indeterminate, "\(host): \(result)")
                }
            }
            #expect(PrivateHosts.all.count >= 60)
            #expect(sink.connectionCount == 0)
            await refusing.shutdown()

            // The same host is reached by a guard that allows it, so the refusals above are the guard's.
            let loopback = try #require(AddressRange("127.0.0.0/8"))
            let allowing = try HTTPTransport(guard: AddressGuard(privateAllowed: [loopback]), allowsPlainHTTP: true)
            for host in ["127.0.0.1", "127.1", "2130706433", "0x7f.1"] {
                let result = await allowing.post(
                    [], to: "http://\(host):\(sink.port)/", headers: [], now: now, deadline: .seconds(30))
                #expect(result.outcome == .delivered, "\(host): \(result)")
            }
            await allowing.shutdown()
        }
    }

    /// DNS that says one thing when it is looked at and another when it is dialled: only the second counts.
    @Test func `each dial is judged by the address that it goes to, whatever was allowed before`() async throws {
        let dialled = Mutex<[SocketAddress]>([])
        try await HTTPSink.running({ _ in HTTPSink.answer(headers: ["Connection: close"]) + [.close] }) { sink in
            let client = try HTTPClient(
                .init { address in
                    dialled.withLock { dialled in
                        dialled.append(address)
                        return dialled.count == 1
                    }
                })
            let url = "http://hooks.localhost:\(sink.port)/"
            #expect(try await client.send(HTTPRequest(url)).status == 200)
            try await sink.waitForLostConnections(count: 1)
            await #expect(throws: CurlError.self) { try await client.send(HTTPRequest(url)) }
            await client.shutdown()

            let loopback: [[UInt8]] = [[127, 0, 0, 1], [UInt8](repeating: 0, count: 15) + [1]]
            let seen = dialled.withLock { $0 }
            #expect(seen.count >= 2 && seen.allSatisfy { loopback.contains($0.bytes) && Int($0.port) == sink.port })
            #expect(sink.connectionCount == 1)
        }
    }
}

/// 2026-11-23T09:30:00Z, the time that it is in these tests.
let now = Instant(seconds: 1_795_426_200)
