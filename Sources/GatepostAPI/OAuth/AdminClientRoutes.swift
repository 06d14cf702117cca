import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `/v1/admin/apps/{app}/clients`, one of them, and its secrets.
struct AdminClientRoutes: Sendable {
    let flow: AdminClientFlow
    let keys: KeyRing

    func mount(_ ofApp: AdminGroup) {
        ofApp.on(.get, "/clients", .clientsRead, use: list)
        ofApp.on(.post, "/clients", .clientsWrite, use: create)
        ofApp.on(.get, "/clients/{client}", .clientsRead, use: show)
        ofApp.on(.patch, "/clients/{client}", .clientsWrite, use: change)
        ofApp.on(.post, "/clients/{client}/rotate-secret", .clientsWrite, use: rotateSecret)
        ofApp.on(.delete, "/clients/{client}/secrets/{secret}", .clientsWrite, use: revokeSecret)
    }

    /// A client without its secrets; of those, only what tells one from another.
    struct ClientAnswer: ResponseEncodable {
        let id: ClientID
        let name: String
        let type: ClientType
        let party: ClientParty
        let subjectType: SubjectType
        let redirectURIs: [String]
        /// Whether it proves itself by signing, with keys of its own.
        let hasKeys: Bool
        let idTokenAlgorithm: SigningAlgorithm
        let requiresPushed: Bool
        let webOrigins: [String]
        let postLogoutURIs: [String]
        /// Only where one client is shown.
        var secrets: [Secret]?
        /// Only in the answer of the request that made it.
        var secret: String?
        let createdAt: Instant

        struct Secret: Encodable {
            let id: ClientSecretID
            let prefix: String
            let createdAt: Instant
            let expiresAt: Instant?

            enum CodingKeys: String, CodingKey {
                case id, prefix
                case createdAt = "created_at"
                case expiresAt = "expires_at"
            }
        }

        enum CodingKeys: String, CodingKey {
            case id, name, type, party, secrets, secret
            case subjectType = "subject_type"
            case redirectURIs = "redirect_uris"
            case hasKeys = "has_keys"
            case idTokenAlgorithm = "id_token_signed_response_alg"
            case requiresPushed = "requires_pushed_requests"
            case webOrigins = "web_origins"
            case postLogoutURIs = "post_logout_redirect_uris"
            case createdAt = "created_at"
        }

        init(_ client: ClientRecord) {
            (id, name, type, createdAt) = (client.id, client.name, client.type, client.createdAt)
            (party, subjectType) = (client.party, client.subjectType)
            (redirectURIs, hasKeys) = (client.redirectURIs, client.keySet != nil)
            (idTokenAlgorithm, requiresPushed) = (client.idTokenAlgorithm, client.requiresPushed)
            (webOrigins, postLogoutURIs) = (client.webOrigins, client.postLogoutURIs)
        }

        init(_ shown: AdminClientFlow.Shown) {
            self.init(shown.client)
            secrets = shown.secrets.map {
                Secret(id: $0.id, prefix: $0.prefix, createdAt: $0.createdAt, expiresAt: $0.expiresAt)
            }
            secret = shown.made?.token.secret.revealed
        }
    }

    @Sendable func list(
        _ request: Request, context: AdminRequestContext
    ) async throws -> ListAnswer<ClientAnswer> {
        let query = try QueryParameters(request, known: ListPage.parameters)
        let page = try ListPage(query, of: "clients", context, keys: keys)
        let clients = try await flow.clients(after: page.cursor, limit: page.readLimit, in: context.scope)
        return page.answer(clients, position: { ($0.createdAt, $0.id.uuid) }, ClientAnswer.init)
    }

    @Sendable func show(_ request: Request, context: AdminRequestContext) async throws -> ClientAnswer {
        guard let shown = try await flow.client(try context.id("client"), in: context.scope) else {
            throw Problem(.notFound)
        }
        return ClientAnswer(shown)
    }

    /// A set of public keys (RFC 7517).
    struct KeySet: Decodable {
        let keys: [ClientKeySet.Member]
    }

    struct CreateRequest: JSONBody {
        let name: String
        let type: ClientType
        let party: ClientParty?
        let subjectType: SubjectType?
        let redirectURIs: [String]?
        let jwks: KeySet?
        let idTokenAlgorithm: String?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case name, type, party, jwks
            case subjectType = "subject_type"
            case redirectURIs = "redirect_uris"
            case idTokenAlgorithm = "id_token_signed_response_alg"
        }
    }

    @Sendable func create(
        _ request: Request, context: AdminRequestContext
    ) async throws -> EditedResponse<ClientAnswer> {
        let (body, admin) = try await context.writeOnce(request, CreateRequest.self)
        let wanted = AdminClientFlow.Wanted(
            name: try Self.name(body.name), type: body.type, party: body.party ?? .first,
            subjectType: body.subjectType ?? .public,
            redirectURIs: try Self.redirectURIs(body.redirectURIs ?? []),
            keySet: try body.jwks.map(Self.keySet),
            idTokenAlgorithm: try body.idTokenAlgorithm.map(Self.algorithm) ?? .rs256)
        let shown = try await flow.create(wanted, for: admin, in: context.scope).value
        return EditedResponse(status: .created, response: ClientAnswer(shown))
    }

    struct ChangeRequest: JSONBody {
        let name: String?
        let party: ClientParty?
        let subjectType: SubjectType?
        let redirectURIs: [String]?
        let jwks: KeySet?
        let idTokenAlgorithm: String?
        let requiresPushed: Bool?
        let webOrigins: [String]?
        let postLogoutURIs: [String]?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case name, party, jwks
            case subjectType = "subject_type"
            case redirectURIs = "redirect_uris"
            case idTokenAlgorithm = "id_token_signed_response_alg"
            case requiresPushed = "requires_pushed_requests"
            case webOrigins = "web_origins"
            case postLogoutURIs = "post_logout_redirect_uris"
        }
    }

    @Sendable func change(_ request: Request, context: AdminRequestContext) async throws -> ClientAnswer {
        let (body, admin) = try await context.write(request, ChangeRequest.self)
        var change = ClientChange()
        change.name = try body.name.map(Self.name)
        (change.party, change.subjectType) = (body.party, body.subjectType)
        change.redirectURIs = try body.redirectURIs.map { try Self.redirectURIs($0) }
        change.keySet = try body.jwks.map { try Self.keySet($0).json }
        change.idTokenAlgorithm = try body.idTokenAlgorithm.map(Self.algorithm)
        change.requiresPushed = body.requiresPushed
        change.webOrigins = try body.webOrigins.map(Self.webOrigins)
        change.postLogoutURIs = try body.postLogoutURIs.map { try Self.redirectURIs($0, "post_logout_redirect_uris") }
        guard !change.fieldNames.isEmpty else {
            throw Problem(.invalidRequest, detail: "Name at least one field to change.")
        }
        let id: ClientID = try context.id("client")
        return ClientAnswer(try await flow.change(id, change, for: admin, in: context.scope).value)
    }

    struct RotateRequest: JSONBody {
        let oldSecretSeconds: Int64?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case oldSecretSeconds = "old_secret_seconds"
        }
    }

    @Sendable func rotateSecret(_ request: Request, context: AdminRequestContext) async throws -> ClientAnswer {
        let (body, admin) = try await context.writeOnce(request, RotateRequest.self)
        let longest = Lifetimes.clientSecretOverlapMax.wholeSeconds
        let seconds = body.oldSecretSeconds ?? Lifetimes.clientSecretOverlap.wholeSeconds
        guard (0...longest).contains(seconds) else {
            throw Problem(.invalidRequest, detail: "old_secret_seconds is a number from 0 to \(longest).")
        }
        let id: ClientID = try context.id("client")
        return ClientAnswer(
            try await flow.rotateSecret(of: id, overlap: .seconds(seconds), for: admin, in: context.scope).value)
    }

    @Sendable func revokeSecret(_ request: Request, context: AdminRequestContext) async throws -> Response {
        let admin = try context.write(request)
        let id: ClientID = try context.id("client")
        _ = try await flow.revokeSecret(try context.id("secret"), of: id, for: admin, in: context.scope).value
        return Response(status: .noContent)
    }

    private static func name(_ name: String) throws -> String {
        guard ClientRules.allows(name: name) else {
            throw Problem(.invalidRequest, detail: "name has 1 to \(ClientRules.nameLengthMax) characters.")
        }
        return name
    }

    private static func webOrigins(_ texts: [String]) throws -> [WebOrigin] {
        let origins = texts.compactMap(WebOrigin.init)
        guard ClientRules.allows(list: texts), origins.count == texts.count else {
            throw Problem(
                .invalidRequest,
                detail:
                    "web_origins are at most \(ClientRules.listCountMax), each as browsers write it: https, or "
                    + "http on loopback, in small letters and without a path.")
        }
        return origins
    }

    private static func redirectURIs(
        _ texts: [String], _ field: String = "redirect_uris"
    ) throws -> [RedirectURI] {
        let uris = texts.compactMap(RedirectURI.init)
        guard ClientRules.allows(list: texts), uris.count == texts.count else {
            throw Problem(
                .invalidRequest,
                detail: "\(field) are at most \(ClientRules.listCountMax), each https, http on loopback, or a "
                    + "scheme with a dot, without a fragment.")
        }
        return uris
    }

    private static func algorithm(_ text: String) throws -> SigningAlgorithm {
        guard let algorithm = SigningAlgorithm(rawValue: text) else {
            throw Problem(.invalidRequest, detail: "id_token_signed_response_alg is RS256 or ES256.")
        }
        return algorithm
    }

    private static func keySet(_ set: KeySet) throws -> ClientKeySet {
        guard let keySet = ClientKeySet(set.keys) else {
            throw Problem(
                .invalidRequest,
                detail:
                    "jwks has 1 to \(ClientKeySet.keysMax) public keys, each with a kid of its own: EC on P-256, or "
                    + "RSA of 2048 bits or more.")
        }
        return keySet
    }
}

extension AdminOutcome {
    /// What was done; throws the problem that a refusal is.
    fileprivate var value: Value {
        get throws {
            switch self {
            case .done(let value): return value
            case .refused(let refusal): throw Problem(refusal)
            }
        }
    }
}
