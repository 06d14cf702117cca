import ArgumentParser
import Foundation
import GatepostFlows
import GatepostModel
import GatepostStore

extension ClientsCommand {
    /// The command `gatepost clients add APP NAME`.
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a client.",
            discussion: "A confidential client without keys of its own gets a secret, which is printed once.")

        @Argument(help: "The app's id.")
        var app: String
        @Argument(help: "What people read, up to 100 characters.")
        var name: String
        @Option(name: .customLong("redirect-uri"), help: "Where it may be sent back to; may be repeated.")
        var redirectURIs: [String] = []
        @Flag(help: "It runs on a server, and proves itself.")
        var confidential = false
        @Flag(help: "It is somebody else's: each user is asked before it is told anything.")
        var thirdParty = false
        @Flag(help: "It knows users by subjects that tell nothing to clients of other hosts.")
        var pairwise = false
        @Option(help: "A file with its public keys (RFC 7517), with which it signs instead of having a secret.")
        var keysFile: String?
        @Option(name: .customLong("id-token-alg"), help: "What its ID tokens are signed with: RS256 or ES256.")
        var idTokenAlgorithm = SigningAlgorithm.rs256
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let name = try ClientRules.name(argument: self.name)
            let redirectURIs = try ClientRules.list(self.redirectURIs, of: "redirect-uris")
                .map(RedirectURI.init(argument:))
            guard confidential || keysFile == nil else { throw ValidationError("--keys-file goes with --confidential") }
            let wanted = AdminClientFlow.Wanted(
                name: name, type: confidential ? .confidential : .public, party: thirdParty ? .third : .first,
                subjectType: pairwise ? .pairwise : .public, redirectURIs: redirectURIs,
                keySet: try keysFile.map(ClientKeySet.init(file:)), idTokenAlgorithm: idTokenAlgorithm)
            try await Wiring.withOperator(.keys) { wiring in
                let scope = try await wiring.scope(of: app)
                let made = try await wiring.adminClientFlow().create(wanted, for: .byOperator, in: scope).value()
                let secret = made.made?.token.secret.revealed
                let client = made.client.id.description
                if output.json { return try Terminal.sayJSON(Made(client: client, secret: secret)) }
                Terminal.say("client  \(client)")
                guard let secret else { return }
                Terminal.say("secret  \(secret)")
                Terminal.say("It is shown here and never again.")
            }
        }

        private struct Made: Encodable {
            let client: String
            let secret: String?
        }
    }
}

extension ClientRules {
    /// Takes a name from the command line; throws a usage error for one that no client can have.
    static func name(argument: String) throws -> String {
        guard allows(name: argument) else { throw ValidationError("a name has 1 to \(nameLengthMax) characters") }
        return argument
    }

    /// Takes a list from the command line; throws a usage error for one that is too long.
    static func list(_ texts: [String], of name: String) throws -> [String] {
        guard allows(list: texts) else { throw ValidationError("\(name) are at most \(listCountMax)") }
        return texts
    }
}

extension SigningAlgorithm: ExpressibleByArgument {}

extension ClientKeySet {
    private struct Document: Decodable {
        let keys: [Member]
    }

    /// Reads a client's public keys from a file; throws a usage error for one that has none that can be registered.
    init(file path: String) throws {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw ValidationError("\(path) cannot be read")
        }
        guard let document = try? JSONDecoder().decode(Document.self, from: bytes),
            let keys = ClientKeySet(document.keys)
        else {
            throw ValidationError(
                "\(path) is no set of 1 to \(Self.keysMax) public keys, each with a kid of its own: EC on P-256, or "
                    + "RSA of 2048 bits or more")
        }
        self = keys
    }
}
