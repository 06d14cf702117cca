@testable import GatepostModel
import Testing

@Suite("Authenticators' codes")
struct TOTPSeedTests {
    /// The seed of the RFCs' own tables.
    private let seed = TOTPSeed(Array("12345678901234567890".utf8))

    private static let now = Instant(seconds: 1_772_442_000)

    private static func keys(epoch: Int16 = 1) throws -> KeyRing {
        try KeyRing(Secret("\(epoch):\(String(repeating: "AAAA", count: 10))AA\(epoch == 1 ? "A" : "E")="))
    }

    /// RFC 4226, appendix D.
    static let counters = [
        "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
    ]

    @Test(arguments: zip(0..<10, counters)) func `a counter has the code of RFC 4226`(counter: Int, code: String) {
        #expect(seed.code(of: Int64(counter)).revealed == code)
    }

    /// RFC 6238, appendix B, the column of SHA-1: seconds since 1970 and eight digits.
    @Test(arguments: [
        (59, "94287082"), (1_111_111_109, "07081804"), (1_111_111_111, "14050471"), (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"), (20_000_000_000, "65353130"),
    ])
    func `a moment has the code of RFC 6238`(seconds: Int64, code: String) {
        let step = TOTPSeed.step(at: Instant(seconds: seconds))
        #expect(seed.code(of: step, digits: 8) == code)
        #expect(seed.code(of: step).revealed == String(code.suffix(6)))
    }

    @Test func `a code is taken one step early or late, and no further`() {
        let now = Instant(seconds: 1_111_111_111)
        let step = TOTPSeed.step(at: now)
        for distance in -1...1 {
            let near = step + Int64(distance)
            #expect(seed.step(of: seed.code(of: near).revealed, at: now) == near)
        }
        #expect(seed.step(of: seed.code(of: step - 2).revealed, at: now) == nil)
        #expect(seed.step(of: seed.code(of: step + 2).revealed, at: now) == nil)
        for wrong in ["", "7", "0000000", "abcdef", String(seed.code(of: step).revealed.dropLast())] {
            #expect(seed.step(of: wrong, at: now) == nil, "\(wrong)")
        }
    }

    /// RFC 4648, section 10, without the padding.
    @Test(arguments: [
        ("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"),
        ("foobar", "MZXW6YTBOI"),
    ])
    func `base 32 is that of RFC 4648`(text: String, encoded: String) {
        #expect(Base32.encode(text.utf8) == encoded)
    }

    @Test func `the link says the seed, the issuer and the account, and escapes them`() {
        let uri = seed.uri(issuer: "A&B: shop", account: "ada+x@example.com").revealed
        #expect(
            uri == "otpauth://totp/A%26B%20%20shop:ada%2Bx%40example.com"
                + "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=A%26B%20%20shop")
    }

    @Test func `a seed has 160 bits and prints as nothing`() {
        let seed = TOTPSeed.make(random: SystemRandom())
        #expect(seed.text.revealed.count == 32)
        #expect("\(seed.text)" == "<redacted>" && "\(seed.code(of: 1))" == "<redacted>")
    }

    @Test func `a sealed seed opens for its own row, app and key alone`() throws {
        let (keys, random) = (try Self.keys(), SystemRandom())
        let ids = (0..<2).map { _ in UserFactorID.make(at: Self.now, random: random) }
        let sealed = try seed.sealed(for: ids[0], in: .gatepost, keys: keys)
        let opened = try TOTPSeed(opening: sealed, of: ids[0], in: .gatepost, keys: keys)
        #expect(opened.text == seed.text)
        #expect(throws: SealBroken.self) {
            try TOTPSeed(opening: sealed, of: ids[1], in: .gatepost, keys: keys)
        }
        #expect(throws: SealBroken.self) {
            try TOTPSeed(opening: sealed, of: ids[0], in: .make(at: Self.now, random: random), keys: keys)
        }
        #expect(throws: SealBroken.self) {
            try TOTPSeed(opening: sealed, of: ids[0], in: .gatepost, keys: Self.keys(epoch: 2))
        }
    }

    @Test func `a recovery code is read however it is written, and has the hash of its user alone`() throws {
        let random = SystemRandom()
        let users = (0..<2).map { _ in UserID.make(at: Self.now, random: random) }
        let code = RecoveryCode.make(random: random)
        let shown = code.shown.revealed
        #expect(shown.wholeMatch(of: /[a-z2-7]{4}(-[a-z2-7]{4}){5}/) != nil)
        let typed = try #require(RecoveryCode(typed: " \(shown.uppercased().replacing("-", with: " ")) "))
        #expect(typed.hash(of: users[0], in: .gatepost) == code.hash(of: users[0], in: .gatepost))
        #expect(typed.hash(of: users[1], in: .gatepost) != code.hash(of: users[0], in: .gatepost))
        for wrong in ["", "123456", String(shown.dropLast()), shown + "a", shown.dropLast() + "1"] {
            #expect(RecoveryCode(typed: wrong) == nil, "\(wrong)")
        }
    }

    @Test func `a class is what was proved, and the first that a client names and that there is`() {
        #expect(AuthenticationClass(methods: ["pwd"]) == .oneFactor)
        #expect(AuthenticationClass(methods: ["otp"]) == .oneFactor)
        #expect(AuthenticationClass(methods: ["pwd", "otp", "mfa"]) == .twoFactors)
        #expect(AuthenticationClass(preferred: "phr mfa 1fa") == .twoFactors)
        #expect(AuthenticationClass(preferred: "1fa mfa") == .oneFactor)
        #expect(AuthenticationClass(preferred: "phr") == nil && AuthenticationClass(preferred: "") == nil)
    }
}
