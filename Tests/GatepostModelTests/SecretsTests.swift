import GatepostModel
import Testing

private let ring = """
    1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
    """

private func keyRing(_ list: String = ring) throws -> KeyRing { try KeyRing(Secret(list)) }

@Suite("Secrets")
struct SecretsTests {
    @Test func `a secret does not print, however it is printed`() {
        let secret = Secret("correct horse battery staple")
        struct Holder {
            let password: Secret
        }
        var dumped = ""
        dump(Holder(password: secret), to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), "\(Holder(password: secret))", dumped] {
            #expect(!text.contains("horse"))
        }
    }

    /// Without parentheses around the comparison of two bytes, a later byte could make an earlier difference good:
    /// about one pair in a few hundred that differed was taken for equal.
    @Test func `two byte strings are equal only if every byte is, wherever they differ`() {
        let random = SystemRandom()
        for length in 1...64 {
            let bytes = random.bytes(length)
            #expect(constantTimeEqual(bytes, bytes))
            for position in 0..<length {
                for difference in UInt8(1)...255 {
                    var other = bytes
                    other[position] ^= difference
                    if constantTimeEqual(bytes, other) { Issue.record("\(bytes) was taken for \(other)") }
                }
            }
        }
        for _ in 0..<20_000 where constantTimeEqual(random.bytes(4), random.bytes(4) + []) {
            Issue.record("two random strings of four bytes were taken for equal; by chance once in 200,000 runs")
        }
    }

    @Test func `base 64 for URLs has one spelling for each byte string`() {
        for count in 0...70 {
            let bytes = SystemRandom().bytes(count)
            #expect(Base64URL.decode(Array(Base64URL.encode(bytes).utf8)) == bytes)
        }
        #expect(Base64URL.encode([0xFB, 0xFF]) == "-_8")
        for refused in ["-_9", "A", "+/8", "-_8=", "-_ 8", "ab\n"] {
            #expect(Base64URL.decode(Array(refused.utf8)) == nil)
        }
    }

    @Test func `a sealed value opens at its place only, and only unchanged`() throws {
        let keys = try keyRing()
        let place = SealedPlace(table: "t", column: "c", app: .gatepost, row: [1])
        let sealed = try keys.seal([1, 2, 3], at: place)

        #expect(try keys.open(sealed, at: place) == [1, 2, 3])
        #expect(sealed != (try keys.seal([1, 2, 3], at: place)))
        for other in [
            SealedPlace(table: "u", column: "c", app: .gatepost, row: [1]),
            SealedPlace(table: "t", column: "d", app: .gatepost, row: [1]),
            SealedPlace(table: "t", column: "c", app: AppID(uuid: UUIDBits(high: 1, low: 1)), row: [1]),
            SealedPlace(table: "t", column: "c", app: .gatepost, row: [2]),
        ] {
            #expect(throws: SealBroken.self) { try keys.open(sealed, at: other) }
        }
        for position in sealed.indices {
            var changed = sealed
            changed[position] ^= 1
            #expect(throws: SealBroken.self) { try keys.open(changed, at: place) }
        }
    }

    @Test func `a replaced key still opens, a retired one does not`() throws {
        let place = SealedPlace(table: "t", column: "c", app: .gatepost, row: [])
        let sealed = try keyRing().seal([9], at: place)
        let next = "2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="

        #expect(try keyRing("\(next),\(ring)").open(sealed, at: place) == [9])
        #expect(throws: SealBroken.self) { try keyRing(next).open(sealed, at: place) }
    }

    @Test(arguments: [
        "", "1", "1:", "x:AAAA", "0:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "1:AAEC", "\(ring),\(ring)",
    ])
    func `a malformed key list is refused without showing it`(list: String) {
        let error = #expect(throws: KeyRing.Invalid.self) { try keyRing(list) }
        #expect(error?.description.contains("AAEC") == false)
    }

    @Test func `a flow's secrets are the same each time, and differ by app, flow and epoch`() throws {
        let keys = try keyRing()
        func secrets(_ app: UInt64, _ flow: UInt64, _ keys: KeyRing) -> FlowSecrets {
            FlowSecrets(
                app: AppID(uuid: UUIDBits(high: 0, low: app)), flow: FlowID(uuid: UUIDBits(high: 0, low: flow)),
                kind: .signUp, keys: keys)
        }
        let other = try keyRing("2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=")
        let all = [secrets(1, 1, keys), secrets(2, 1, keys), secrets(1, 2, keys), secrets(1, 1, other)]

        #expect(secrets(1, 1, keys).linkToken.secret == all[0].linkToken.secret)
        #expect(Set(all.map(\.linkToken.secret.revealed)).count == 4)
        #expect(Set(all.map(\.code.revealed)).count == 4)
        #expect(all.allSatisfy { $0.code.revealed.count == 8 && $0.code.revealed.allSatisfy(\.isNumber) })
        #expect(OneTimeToken(.link, presented: all[0].linkToken.secret.revealed)?.hash == all[0].linkToken.hash)
    }

    @Test func `spaces and hyphens in a typed code do not count`() throws {
        let secrets = FlowSecrets(
            app: .gatepost, flow: FlowID(uuid: UUIDBits(high: 0, low: 1)), kind: .signUp, keys: try keyRing())
        #expect(secrets.codeHash("1234 5678") == secrets.codeHash("1234-5678"))
        #expect(secrets.codeHash("12345678") != secrets.codeHash("12345679"))
    }

    @Test func `a successor opens only with the token that was presented`() throws {
        let tokens = (0..<3).map { _ in OneTimeToken.make(.refresh, random: SystemRandom()) }
        let sealed = try SuccessorSeal.seal(tokens[1], under: tokens[0])

        #expect(try SuccessorSeal.open(sealed, under: tokens[0]).secret == tokens[1].secret)
        #expect(throws: SealBroken.self) { try SuccessorSeal.open(sealed, under: tokens[2]) }
    }

    @Test func `a token of one purpose is none of another`() {
        let token = OneTimeToken.make(.authorizationCode, random: SystemRandom())
        #expect(OneTimeToken(.authorizationCode, presented: token.secret.revealed) != nil)
        #expect(OneTimeToken(.refresh, presented: token.secret.revealed) == nil)
        #expect(OneTimeToken(.authorizationCode, presented: token.secret.revealed + "A") == nil)
    }
}
