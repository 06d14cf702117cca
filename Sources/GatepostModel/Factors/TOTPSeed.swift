import Crypto

/// What an authenticator app and Gatepost share: from it comes another code every thirty seconds (RFC 6238).
///
/// SHA-1, six digits and thirty seconds, because that is what every such app takes. HMAC does not rest on what SHA-1
/// has lost (RFC 6238, section 1.2).
package struct TOTPSeed: Sendable {
    /// Bytes of chance in a seed: 160 bits, as RFC 4226, section 4, recommends.
    package static let byteCount = 20
    /// Seconds that a code is shown.
    package static let stepSeconds: Int64 = 30
    /// Digits of a code.
    package static let digits = 6
    /// Steps before and after the present one whose codes are taken: clocks differ, and people type slowly.
    static let window: Int64 = 1

    private let bytes: [UInt8]

    /// Makes a new seed.
    package static func make(random: any RandomSource) -> TOTPSeed {
        TOTPSeed(random.bytes(byteCount))
    }

    /// Takes the bytes of one.
    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The seed as a person types it into an app that cannot read a link.
    package var text: Secret { Secret(Base32.encode(bytes)) }

    /// The step that a moment lies in.
    package static func step(at now: Instant) -> Int64 { now.seconds / stepSeconds }

    /// The code of a step: an HOTP whose counter is the step (RFC 4226, section 5.3).
    package func code(of step: Int64) -> Secret { Secret(code(of: step, digits: Self.digits)) }

    /// The same with so many digits.
    func code(of step: Int64, digits: Int) -> String {
        let counter = (0..<8).map { UInt8(truncatingIfNeeded: step >> (56 - 8 * $0)) }
        let hash = Array(HMAC<Insecure.SHA1>.authenticationCode(for: counter, using: SymmetricKey(data: bytes)))
        let offset = Int(hash[hash.count - 1] & 15)
        let number = hash[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let modulus = (0..<digits).reduce(UInt32(1)) { product, _ in product * 10 }
        let text = String(number % modulus)
        return String(repeating: "0", count: digits - text.count) + text
    }

    /// The step near this moment whose code was typed; nil if it is none's.
    ///
    /// Every step is compared, whichever is right, so the time tells nothing.
    package func step(of typed: String, at now: Instant) -> Int64? {
        let present = Self.step(at: now)
        let typed = Secret(typed)
        return (present - Self.window...present + Self.window).reduce(nil) { found, step in
            code(of: step) == typed ? step : found
        }
    }

    /// The link that an authenticator app takes the seed from (Google's key URI format).
    ///
    /// - Parameters:
    ///   - issuer: What the app is called.
    ///   - account: The address of whoever enrols.
    /// - Returns: The link.
    package func uri(issuer: String, account: String) -> Secret {
        let (issuer, account) = (Self.encoded(issuer.replacing(":", with: " ")), Self.encoded(account))
        return Secret("otpauth://totp/\(issuer):\(account)?secret=\(text.revealed)&issuer=\(issuer)")
    }

    /// RFC 3986: everything but the unreserved characters.
    private static func encoded(_ text: String) -> String {
        text.utf8.reduce(into: "") { result, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
    }
}

extension TOTPSeed {
    /// Seals the seed for its factor's row and no other.
    package func sealed(for factor: UserFactorID, in app: AppID, keys: KeyRing) throws -> [UInt8] {
        try keys.seal(bytes, at: Self.place(factor, app))
    }

    /// Opens the seed of a factor's row; throws `SealBroken` for another row's, app's or key's.
    package init(opening sealed: [UInt8], of factor: UserFactorID, in app: AppID, keys: KeyRing) throws {
        bytes = try keys.open(sealed, at: Self.place(factor, app))
    }

    private static func place(_ factor: UserFactorID, _ app: AppID) -> SealedPlace {
        SealedPlace(table: "user_factors", column: "seed_sealed", app: app, row: factor.uuid.bytes)
    }
}
