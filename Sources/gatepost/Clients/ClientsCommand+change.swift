import ArgumentParser
import GatepostFlows
import GatepostModel
import GatepostStore

extension ClientsCommand {
    /// The command `gatepost clients change APP CLIENT`.
    struct Change: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change what is registered for a client.",
            discussion: """
                A list that is named is replaced as a whole; --clear empties one. What is not named stays. Takes effect
                at once, also for who is signed in; what a new party or subject type means for them is said below.
                """)

        /// The lists that can be emptied.
        enum Clearable: String, ExpressibleByArgument, CaseIterable {
            case redirectURIs = "redirect-uris"
            case webOrigins = "web-origins"
            case postLogoutURIs = "post-logout-uris"
        }

        @OptionGroup var target: ClientTarget
        @Option(help: "What people read, up to 100 characters.")
        var name: String?
        @Option(
            help: """
                Whose it is: first_party, or third_party. With third_party each user is asked at their next sign-in, \
                and the tokens that it has open no route of the account any more; sessions go on. With first_party \
                nobody is asked.
                """)
        var party: ClientParty?
        @Option(
            help: """
                How it knows users: public, by their ids, or pairwise, by subjects that are told to no other host, for \
                which its redirect URIs are of one host. From then on every user is called otherwise by it. It goes \
                along with redirect URIs of another host, which do the same.
                """)
        var subjectType: SubjectType?
        @Option(name: .customLong("redirect-uri"), help: "Where it may be sent back to; may be repeated.")
        var redirectURIs: [String] = []
        @Option(
            name: .customLong("web-origin"),
            help: "Where its scripts run that may read answers, such as https://app.example; may be repeated.")
        var webOrigins: [String] = []
        @Option(
            name: .customLong("post-logout-uri"), help: "Where a browser may go after a sign-out; may be repeated.")
        var postLogoutURIs: [String] = []
        @Option(help: "Empty a list: redirect-uris, web-origins or post-logout-uris; may be repeated.")
        var clear: [Clearable] = []
        @Flag(inversion: .prefixedNo, help: "It must push its requests (RFC 9126), or need not.")
        var requirePushed: Bool?
        @Option(help: "A file with its public keys (RFC 7517), in place of those that it has.")
        var keysFile: String?
        @Option(name: .customLong("id-token-alg"), help: "What its ID tokens are signed with: RS256 or ES256.")
        var idTokenAlgorithm: SigningAlgorithm?
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let (id, change) = (try target.id(), try wanted())
            guard !change.fieldNames.isEmpty else { throw ValidationError("name what is to be changed; see --help") }
            try await Wiring.withOperator(.keys) { wiring in
                let scope = try await wiring.scope(of: target.app)
                let changed = try await wiring.adminClientFlow().change(id, change, for: .byOperator, in: scope).value()
                try ClientRow(changed.client).say(asJSON: output.json)
            }
        }

        private func wanted() throws -> ClientChange {
            var change = ClientChange()
            change.name = try name.map(ClientRules.name(argument:))
            (change.party, change.subjectType) = (party, subjectType)
            change.redirectURIs = try list(redirectURIs, .redirectURIs, RedirectURI.init(argument:))
            change.postLogoutURIs = try list(postLogoutURIs, .postLogoutURIs, RedirectURI.init(argument:))
            change.webOrigins = try list(webOrigins, .webOrigins) { text in
                guard let origin = WebOrigin(text) else {
                    throw ValidationError(
                        "\(text) is no origin: https, or http on loopback, in small letters and without a path")
                }
                return origin
            }
            change.idTokenAlgorithm = idTokenAlgorithm
            change.requiresPushed = requirePushed
            change.keySet = try keysFile.map { try ClientKeySet(file: $0).json }
            return change
        }

        /// A list as it is to be; nil if it stays.
        private func list<Element>(
            _ texts: [String], _ name: Clearable, _ read: (String) throws -> Element
        ) throws -> [Element]? {
            guard !clear.contains(name) || texts.isEmpty else {
                throw ValidationError("\(name.rawValue) cannot be named and cleared")
            }
            return texts.isEmpty && !clear.contains(name)
                ? nil : try ClientRules.list(texts, of: name.rawValue).map(read)
        }
    }
}

extension ClientParty: ExpressibleByArgument {}

extension SubjectType: ExpressibleByArgument {}
