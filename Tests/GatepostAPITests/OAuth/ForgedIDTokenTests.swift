import Crypto
import CryptoExtras
import Curl
import Foundation
import GatepostModel
import TestSupport
import Testing

/// ID tokens that look like Gatepost's and are not, in an app that has keys of two kinds (RFC 8725, section 3.1).
///
/// Shown as `id_token_hint`, the one place where an ID token comes back. They are signed with the app's own keys, so
/// that only what a test names is wrong with them.
@Suite("ID tokens: forged", .showsSeed)
struct ForgedIDTokenTests {
    /// What a forger signs with.
    enum Signer: CaseIterable {
        case es256, rs256, pss
        /// HMAC under the public key of either kind, in each form in which anybody may have it.
        case hmacOfECPoint, hmacOfECPEM, hmacOfRSADER, hmacOfRSAPEM, hmacOfModulus

        func signature(of input: String, _ server: TestServer) throws -> [UInt8] {
            let (bytes, ec, rsa) = (Array(input.utf8), server.flows.signingKey, try TestKeys.rsa)
            func hmac(_ key: some ContiguousBytes) -> [UInt8] {
                Array(HMAC<SHA256>.authenticationCode(for: bytes, using: SymmetricKey(data: key)))
            }
            return switch self {
            case .es256: Array(try ec.signature(for: bytes).rawRepresentation)
            case .rs256: Array(try rsa.signature(for: bytes, padding: .insecurePKCS1v1_5).rawRepresentation)
            case .pss: Array(try rsa.signature(for: bytes, padding: .PSS).rawRepresentation)
            case .hmacOfECPoint: hmac(ec.publicKey.x963Representation)
            case .hmacOfECPEM: hmac(Data(ec.publicKey.pemRepresentation.utf8))
            case .hmacOfRSADER: hmac(rsa.publicKey.derRepresentation)
            case .hmacOfRSAPEM: hmac(Data(rsa.publicKey.pemRepresentation.utf8))
            case .hmacOfModulus: hmac(try rsa.publicKey.getKeyPrimitives().modulus)
            }
        }
    }

    /// A server whose app has the tests' RSA key, a browser in which Ada is signed in, and the payloads of two tokens.
    private func running(
        _ body: (TestServer, TestBrowser, _ rsa: SigningKeyID, _ idPayload: String, _ accessPayload: String)
            async throws -> Void
    ) async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let rsa = try await server.app.plantRSAKey()
            try await server.tamper(
                "update clients set id_token_signed_response_alg = 'RS256' where app_id = \(server.sqlID)")
            let browser = TestBrowser(server)
            let answer = try await server.browse(["scope": "openid"], in: browser)
            let tokens = try await server.exchange(try #require(answer.parameter("code"), "\(answer.text)"))
            let payloads = try ["id_token", "access_token"].map { name in
                String(try #require(tokens.field(name), "\(tokens.text)").split(separator: ".")[1])
            }
            try await body(server, browser, rsa, payloads[0], payloads[1])
        }
    }

    private func token(
        _ algorithm: String, _ id: SigningKeyID, _ payload: String, type: String = "JWT", by signer: Signer,
        _ server: TestServer
    ) throws -> String {
        let header = Base64URL.encode(Array(#"{"alg":"\#(algorithm)","kid":"\#(id)","typ":"\#(type)"}"#.utf8))
        let input = "\(header).\(payload)"
        return input + "." + Base64URL.encode(try signer.signature(of: input, server))
    }

    private func isHint(_ token: String, _ server: TestServer, _ browser: TestBrowser) async throws -> Bool {
        let answer = try await browser.open(server.authorizePath(["prompt": "none", "id_token_hint": token]))
        if answer.parameter("code") != nil { return true }
        #expect(answer.parameter("error") == "invalid_request", "\(answer.location ?? answer.text)")
        return false
    }

    @Test func `of all algorithms, keys and signatures only those that belong together are a hint`() async throws {
        try await running { server, browser, rsa, payload, _ in
            let ec = server.flows.signingKeyID
            var taken: [String] = []
            for (name, id) in [("ES256", ec), ("RS256", rsa), ("ES256", rsa), ("RS256", ec)] {
                for signer in Signer.allCases {
                    let token = try token(name, id, payload, by: signer, server)
                    guard try await isHint(token, server, browser) else { continue }
                    taken.append("\(name) \(id == ec ? "EC" : "RSA") \(signer)")
                }
            }
            // These two are what Gatepost writes: so nothing above was refused for another reason than it names.
            #expect(taken == ["ES256 EC es256", "RS256 RSA rs256"])
        }
    }

    @Test(arguments: ["none", "None", "HS256", "HS384", "RS384", "RS512", "PS256", "rs256", "RSA", "EdDSA", ""])
    func `an algorithm that is not used is refused, whatever key it names and whoever signs`(
        _ name: String
    ) async throws {
        try await running { server, browser, rsa, payload, _ in
            for id in [server.flows.signingKeyID, rsa] {
                for signer in Signer.allCases {
                    #expect(
                        try await !isHint(token(name, id, payload, by: signer, server), server, browser),
                        "\(id) \(signer)")
                }
                let unsigned = try token(name, id, payload, by: .rs256, server).split(separator: ".").prefix(2)
                #expect(try await !isHint(unsigned.joined(separator: ".") + ".", server, browser))
            }
        }
    }

    @Test func `the RSA key signs no access token, and an ID token by it opens nothing`() async throws {
        try await running { server, _, rsa, idPayload, accessPayload in
            let good = try token(
                "ES256", server.flows.signingKeyID, accessPayload, type: "at+jwt", by: .es256, server)
            #expect(try await server.me(good).status == 200)
            let forged = [
                try token("RS256", rsa, accessPayload, type: "at+jwt", by: .rs256, server),
                try token("ES256", rsa, accessPayload, type: "at+jwt", by: .rs256, server),
                try token("ES256", rsa, accessPayload, type: "at+jwt", by: .es256, server),
                try token("RS256", server.flows.signingKeyID, accessPayload, type: "at+jwt", by: .es256, server),
                try token("RS256", rsa, accessPayload, by: .rs256, server),
                try token("RS256", rsa, idPayload, by: .rs256, server),
                try token("RS256", rsa, idPayload, type: "at+jwt", by: .rs256, server),
            ]
            for token in forged {
                #expect(try await server.me(token).problem == .invalidAccessToken)
                #expect(try await server.userInfo(token).field("error") == "invalid_token")
            }
        }
    }

    @Test func `an access token is no hint, by whichever key`() async throws {
        try await running { server, browser, rsa, _, payload in
            let ec = server.flows.signingKeyID
            for token in [
                try token("ES256", ec, payload, type: "at+jwt", by: .es256, server),
                try token("RS256", rsa, payload, type: "at+jwt", by: .rs256, server),
            ] {
                #expect(try await !isHint(token, server, browser))
            }
        }
    }
}
