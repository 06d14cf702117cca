import Crypto
import Foundation
import GatepostFlows
import GatepostModel
import TestSupport
import Testing

/// An access token taken apart, to be put together as a forger would.
struct Forgery {
    var header: [String: Any]
    var payload: [String: Any]
    /// The key that signs; the app's own unless a test takes another.
    var key: P256.Signing.PrivateKey

    /// Takes a good token apart.
    init(of answer: TokenAnswer, _ test: TestFlows) throws {
        let parts = answer.accessToken.revealed.split(separator: ".").map { Array($0.utf8) }
        func object(_ part: [UInt8]) throws -> [String: Any] {
            let bytes = try #require(Base64URL.decode(part))
            return try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
        }
        header = try object(parts[0])
        payload = try object(parts[1])
        key = test.signingKey
    }

    /// The token, signed with ES256 whatever its header says.
    func signed() throws -> String {
        let input = try signingInput()
        return input + "." + Base64URL.encode(try key.signature(for: Array(input.utf8)).rawRepresentation)
    }

    /// Header and payload as they are signed.
    ///
    /// The header's members stand in the order in which Gatepost writes them, so that an unchanged one is byte for
    /// byte what it expects: what a test refuses is refused for what it changed.
    func signingInput() throws -> String {
        let known = ["alg", "kid", "typ"]
        let names = known.filter { header[$0] != nil } + header.keys.filter { !known.contains($0) }.sorted()
        let members = try names.map { name in
            let value = try JSONSerialization.data(
                withJSONObject: header[name] ?? "", options: [.fragmentsAllowed, .withoutEscapingSlashes])
            return "\"\(name)\":" + String(decoding: value, as: UTF8.self)
        }
        let body = try JSONSerialization.data(withJSONObject: payload, options: [.withoutEscapingSlashes])
        return Base64URL.encode(Array("{\(members.joined(separator: ","))}".utf8)) + "." + Base64URL.encode(body)
    }
}
