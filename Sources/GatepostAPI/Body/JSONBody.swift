import FoundationEssentials
import GatepostModel
import Hummingbird

/// A request's body in JSON whose fields are all known.
///
/// `CodingKeys` is spelt out and `CaseIterable`, so that a field that nobody reads is refused: it is a typing error
/// or an attempt, such as a `user_id` where none is taken (CVE-2025-61928, better-auth).
protocol JSONBody: Decodable {
    associatedtype CodingKeys: CodingKey, CaseIterable
}

extension Request {
    /// Reads the body, strictly.
    func json<Body: JSONBody>(_ type: Body.Type = Body.self) async throws -> Body {
        try Body(json: try await collectBody(ofType: "application/json"))
    }
}

extension JSONBody {
    /// Reads a body's bytes, strictly.
    ///
    /// Throws a `Problem` that names the field, never its value.
    init(json bytes: [UInt8]) throws {
        let names = try JSONSurface.memberNames(of: bytes)
        let known = Set(Self.CodingKeys.allCases.map(\.stringValue))
        if let unknown = names.first(where: { !known.contains($0) }) {
            throw Problem(.unknownField, detail: Self.isPlain(unknown) ? "\(unknown) is not known here." : nil)
        }
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(bytes))
        } catch let error as DecodingError {
            throw Problem(decoding: error)
        }
    }

    /// Whether a name that a caller made up may be shown to them again.
    private static func isPlain(_ name: String) -> Bool {
        name.utf8.count <= 64
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}

extension EmailAddress: Decodable {
    package init(from decoder: any Decoder) throws {
        guard let address = EmailAddress(try decoder.singleValueContainer().decode(String.self)) else {
            throw Problem(.invalidEmailAddress)
        }
        self = address
    }
}

extension CodeChallenge: Decodable {
    package init(from decoder: any Decoder) throws {
        guard let challenge = CodeChallenge(try decoder.singleValueContainer().decode(String.self)) else {
            throw Problem(.invalidCodeChallenge)
        }
        self = challenge
    }
}

/// The token that whoever began a flow holds, as a body carries it.
struct FlowToken: Decodable {
    let token: OneTimeToken

    init(from decoder: any Decoder) throws {
        guard let token = OneTimeToken(.flow, presented: try decoder.singleValueContainer().decode(String.self)) else {
            throw Problem(.invalidFlow)
        }
        self.token = token
    }
}
