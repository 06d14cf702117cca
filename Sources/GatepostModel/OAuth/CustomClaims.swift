import FoundationEssentials

/// Where a custom claim is told.
package enum ClaimPlace: String, Sendable, Codable, CaseIterable {
    case accessToken = "access_token"
    case idToken = "id_token"
    case userinfo
}

/// What an app's admins have noted about a user, for the app's own programs to read in tokens.
///
/// Few and small: all that there can be, with roles and permissions beside it, must fit a header field.
package struct CustomClaims: Sendable, Hashable {
    /// The most that a user has, and that an app's setting names.
    package static let countMax = 20
    /// What all of a user's may take up as JSON, in bytes.
    package static let bytesMax = 1024
    /// The longest name, and the most texts in a list.
    package static let nameLengthMax = 40
    package static let listLengthMax = 20

    /// A value: a text, a number without a fraction, yes or no, or a list of texts.
    package enum Value: Sendable, Hashable, Codable {
        case text(String)
        case number(Int64)
        case flag(Bool)
        case list([String])

        package init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {
                self = .flag(flag)
            } else if let number = try? container.decode(Int64.self) {
                self = .number(number)
            } else if let text = try? container.decode(String.self) {
                self = .text(text)
            } else {
                self = .list(try container.decode([String].self))
            }
        }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .number(let number): try container.encode(number)
            case .flag(let flag): try container.encode(flag)
            case .list(let list): try container.encode(list)
            }
        }

        /// Whether every reader of JSON reads the same: numbers up to 2^53 (RFC 8259, 6), no control characters.
        fileprivate var isPlain: Bool {
            func isPlain(_ text: String) -> Bool {
                text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
            }
            return switch self {
            case .text(let text): isPlain(text)
            case .number(let number): number.magnitude <= 1 << 53
            case .flag: true
            case .list(let list): list.count <= listLengthMax && list.allSatisfy(isPlain)
            }
        }
    }

    /// None.
    package static let none = CustomClaims(unchecked: [:])

    /// By name.
    package let values: [String: Value]

    private init(unchecked values: [String: Value]) {
        self.values = values
    }

    /// Takes what somebody wants noted; nil for too much, for another kind of name, and for one that is reserved.
    package init?(_ values: [String: Value]) {
        guard values.count <= Self.countMax, values.keys.allSatisfy(Self.isName), values.values.allSatisfy(\.isPlain)
        else { return nil }
        self.values = values
        guard json.utf8.count <= Self.bytesMax else { return nil }
    }

    /// Reads what a row has kept, which was checked when it was written.
    package init(json: String) throws {
        values = try JSONDecoder().decode([String: Value].self, from: Data(json.utf8))
    }

    /// Those that an app tells in one place; not what was noted under a name before that was reserved.
    package func told(in place: ClaimPlace, by settings: AppSettings) -> CustomClaims {
        let told = settings.tokenClaims ?? [:]
        return CustomClaims(
            unchecked: values.filter { told[$0.key]?.contains(place) == true && !Self.reserved.contains($0.key) })
    }

    /// As JSON, names sorted.
    package var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Texts, numbers and flags by name always encode.
        return (try? encoder.encode(values)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    /// As members of an object that has others before them: `,"plan":"pro"`, or nothing.
    package var members: String { values.isEmpty ? "" : ",\(json.dropFirst().dropLast())" }

    /// Whether a claim may be called so: a small letter, then small letters, digits and `_`, and not reserved.
    package static func isName(_ name: String) -> Bool {
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        guard (1...nameLengthMax).contains(name.utf8.count), name.utf8.first.map(letters.contains) == true,
            name.utf8.allSatisfy({ letters.contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "_") })
        else { return false }
        return !reserved.contains(name)
    }

    /// What Gatepost says itself, and what a verifier may act upon: nobody shall say it in its place.
    static let reserved: Set<String> = [
        // RFC 7519, RFC 9068 and what else our tokens hold.
        "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "app_id", "sid", "party", "scope", "auth_time",
        "acr",
        "amr",
        "roles", "permissions", "groups", "entitlements",
        // OpenID Connect Core, and what it says of addresses.
        "azp", "nonce", "at_hash", "c_hash", "s_hash", "email", "email_verified", "phone_number",
        "phone_number_verified",
        "locale", "sub_jwk", "claims", "verified_claims",
        // Introspection (RFC 7662), confirmation (RFC 7800), acting for others (RFC 8693), events (RFC 8417).
        "active", "token_type", "username", "cnf", "act", "may_act", "events", "toe", "txn", "typ", "cty", "alg", "kid",
    ]
}
