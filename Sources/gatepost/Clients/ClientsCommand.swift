import ArgumentParser
import GatepostFlows
import GatepostModel
import GatepostStore

/// `gatepost clients`: who may send people to an app to sign in, and how they prove themselves.
struct ClientsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clients", abstract: "Add, list and change an app's clients; make and revoke their secrets.",
        subcommands: [List.self, Add.self, Show.self, Change.self, Secrets.self])

    /// The command `gatepost clients list APP`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List an app's clients, oldest first.")

        @Argument(help: "The app's id.")
        var app: String
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Wiring.withOperator(.database) { wiring in
                let scope = try await wiring.scope(of: app)
                let rows = try await wiring.database.batch(in: scope) { $0.clients() }.map(ClientRow.init)
                try Terminal.sayList(rows, asJSON: output.json, headings: ["CLIENT", "NAME", "TYPE", "REDIRECT URIS"]) {
                    [$0.client, $0.name, $0.type, $0.redirectURIs.joined(separator: " ")]
                }
            }
        }
    }

    /// The command `gatepost clients show APP CLIENT`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one client with all that is registered for it.")

        @OptionGroup var target: ClientTarget
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let id = try target.id()
            try await Wiring.withOperator(.keys) { wiring in
                let scope = try await wiring.scope(of: target.app)
                guard let shown = try await wiring.adminClientFlow().client(id, in: scope) else {
                    throw ValidationError("the app has no client \(id)")
                }
                try ClientRow(shown.client).say(asJSON: output.json)
            }
        }
    }
}

/// The client that a command is about.
struct ClientTarget: ParsableArguments {
    @Argument(help: "The app's id.")
    var app: String
    @Argument(help: "The client's id.")
    var client: String

    func id() throws -> ClientID {
        guard let id = ClientID(client) else { throw ValidationError("\(client) is not the id of a client (cli_…)") }
        return id
    }
}

/// A client as the command line shows it.
struct ClientRow: Encodable {
    let client: String
    let name: String
    let type: String
    /// Whose it is: `first_party`, the app's own, or `third_party`.
    let party: String
    /// How it knows users: `public`, by their ids, or `pairwise`.
    let subjectType: String
    let redirectURIs: [String]
    let webOrigins: [String]
    let postLogoutURIs: [String]
    let requiresPushed: Bool
    /// What a confidential client proves itself with: `secrets` or `keys`; nil for a public one.
    let proof: String?
    /// What its ID tokens are signed with.
    let idTokenAlgorithm: SigningAlgorithm
    let createdAt: Instant

    private enum CodingKeys: String, CodingKey {
        case client, name, type, party, subjectType, proof, createdAt, webOrigins
        case redirectURIs = "redirectUris"
        case postLogoutURIs = "postLogoutRedirectUris"
        case requiresPushed = "requiresPushedRequests"
        case idTokenAlgorithm = "idTokenSignedResponseAlg"
    }

    init(_ record: ClientRecord) {
        (client, name, type) = (record.id.description, record.name, record.type.rawValue)
        (party, subjectType) = (record.party.rawValue, record.subjectType.rawValue)
        (redirectURIs, webOrigins, postLogoutURIs) = (record.redirectURIs, record.webOrigins, record.postLogoutURIs)
        (requiresPushed, createdAt) = (record.requiresPushed, record.createdAt)
        idTokenAlgorithm = record.idTokenAlgorithm
        proof = record.type == .public ? nil : record.keySet == nil ? "secrets" : "keys"
    }

    func say(asJSON: Bool) throws {
        if asJSON { return try Terminal.sayJSON(self) }
        func list(_ texts: [String]) -> String { texts.isEmpty ? "-" : texts.joined(separator: " ") }
        Terminal.say("client             \(client)")
        Terminal.say("name               \(name)")
        Terminal.say("type               \(type)")
        Terminal.say("party              \(party)")
        Terminal.say("knows users by     \(subjectType == SubjectType.pairwise.rawValue ? "pairwise subjects" : "ids")")
        Terminal.say("proves itself by   \(proof ?? "-")")
        Terminal.say("ID tokens by       \(idTokenAlgorithm.rawValue)")
        Terminal.say("redirect URIs      \(list(redirectURIs))")
        Terminal.say("web origins        \(list(webOrigins))")
        Terminal.say("post-logout URIs   \(list(postLogoutURIs))")
        Terminal.say("must push requests \(requiresPushed ? "yes" : "no")")
        Terminal.say("created            \(createdAt)")
    }
}
