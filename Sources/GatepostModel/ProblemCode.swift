/// Every error that the API reports, by its stable code (RFC 9457).
///
/// The list is the contract: a code may be added, never renamed. What went wrong inside goes to the log under
/// the request's id; the caller gets one of these.
package enum ProblemCode: String, CaseIterable, Sendable, Codable {
    // The request itself.
    case malformedJSON = "malformed_json"
    case invalidRequest = "invalid_request"
    case unknownField = "unknown_field"
    case bodyTooLarge = "body_too_large"
    case unsupportedMediaType = "unsupported_media_type"
    case notFound = "not_found"
    case methodNotAllowed = "method_not_allowed"
    case appNotFound = "app_not_found"
    case appSuspended = "app_suspended"

    // What it asked for.
    case invalidEmailAddress = "invalid_email_address"
    case weakPassword = "weak_password"
    case invalidRedirectURI = "invalid_redirect_uri"
    case unknownClient = "unknown_client"
    case invalidCodeChallenge = "invalid_code_challenge"
    case invalidCursor = "invalid_cursor"
    case invalidIdempotencyKey = "invalid_idempotency_key"
    case idempotencyKeyReused = "idempotency_key_reused"
    case invalidWebhookURL = "invalid_webhook_url"
    case tooManyWebhookEndpoints = "too_many_webhook_endpoints"
    case invalidIdentityProvider = "invalid_identity_provider"
    case conflict
    case rangeNotSatisfiable = "range_not_satisfiable"

    // Who asked.
    case invalidCredentials = "invalid_credentials"
    case userDeactivated = "user_deactivated"
    case invalidAccessToken = "invalid_access_token"
    case sessionEnded = "session_ended"
    case invalidAPIKey = "invalid_api_key"
    case permissionDenied = "permission_denied"
    case invalidLink = "invalid_link"
    case invalidCode = "invalid_code"
    case codeAttemptsExhausted = "code_attempts_exhausted"
    case invalidFlow = "invalid_flow"
    case invalidAuthorizationRequest = "invalid_authorization_request"
    case foreignForm = "foreign_form"
    case unknownProvider = "unknown_provider"
    case providerDisabled = "provider_disabled"
    case invalidProviderAnswer = "invalid_provider_answer"
    case providerUnavailable = "provider_unavailable"
    case signUpNotAllowed = "sign_up_not_allowed"
    case recentSignInRequired = "recent_sign_in_required"

    // When.
    case rateLimited = "rate_limited"
    case busy
    case unavailable
    case internalError = "internal_error"

    /// The HTTP status that goes with the code.
    package var status: Int {
        switch self {
        case .malformedJSON, .invalidRequest, .unknownField, .invalidRedirectURI, .unknownClient,
            .invalidCodeChallenge, .invalidCursor, .invalidIdempotencyKey, .invalidLink, .invalidCode,
            .codeAttemptsExhausted, .invalidFlow, .invalidAuthorizationRequest, .invalidProviderAnswer:
            400
        case .invalidCredentials, .invalidAccessToken, .sessionEnded, .invalidAPIKey: 401
        case .userDeactivated, .appSuspended, .permissionDenied, .providerDisabled, .signUpNotAllowed,
            .recentSignInRequired, .foreignForm:
            403
        case .notFound, .appNotFound, .unknownProvider: 404
        case .methodNotAllowed: 405
        case .conflict: 409
        case .bodyTooLarge: 413
        case .unsupportedMediaType: 415
        case .invalidEmailAddress, .weakPassword, .idempotencyKeyReused, .invalidWebhookURL, .tooManyWebhookEndpoints,
            .invalidIdentityProvider:
            422
        case .rangeNotSatisfiable: 416
        case .rateLimited: 429
        case .internalError: 500
        case .busy, .unavailable, .providerUnavailable: 503
        }
    }

    /// One sentence for the person who reads the answer.
    package var title: String {
        switch self {
        case .malformedJSON: "The body is not valid JSON."
        case .invalidRequest: "A field is missing or has the wrong type."
        case .unknownField: "The body has a field that this route does not know."
        case .bodyTooLarge: "The body is too large."
        case .unsupportedMediaType: "The body has the wrong content type."
        case .notFound: "There is nothing at this address."
        case .methodNotAllowed: "This address does not take that method."
        case .appNotFound: "There is no such app."
        case .appSuspended: "This app is suspended."
        case .invalidEmailAddress: "This is not an address that mail can be sent to."
        case .weakPassword: "This password is too easy to guess."
        case .invalidRedirectURI: "This redirect URI is not registered for the client."
        case .unknownClient: "There is no such client in this app."
        case .invalidCodeChallenge: "The code challenge must be a SHA-256 in base 64 for URLs, method S256."
        case .invalidCursor: "This cursor is not one of this list."
        case .invalidIdempotencyKey: "An idempotency key has 1 to 255 visible ASCII characters."
        case .idempotencyKeyReused: "This idempotency key came with another request before."
        case .invalidWebhookURL: "This is not a URL that notices can be sent to."
        case .tooManyWebhookEndpoints: "The app has as many webhook endpoints as it may have."
        case .invalidIdentityProvider: "These are not settings that an identity provider can have."
        case .conflict: "What is there does not allow this."
        case .rangeNotSatisfiable: "The file has no byte there."
        case .invalidAPIKey: "The API key is malformed, expired, revoked or unknown."
        case .permissionDenied: "Your role does not allow this."
        case .invalidCredentials: "The address or the password is wrong, or the address is not verified yet."
        case .userDeactivated: "This user is deactivated."
        case .invalidAccessToken: "The access token is missing, malformed, expired or not for this app."
        case .sessionEnded: "The session has ended."
        case .invalidLink: "This link is used up, replaced or expired."
        case .invalidCode: "This code is wrong."
        case .codeAttemptsExhausted: "Too many wrong codes."
        case .invalidFlow: "This flow is finished, expired or not yours."
        case .invalidAuthorizationRequest: "This sign-in is finished, too old or was begun in another browser."
        case .foreignForm: "This form was not shown in this browser, or cookies are switched off."
        case .unknownProvider: "There is no such identity provider in this app."
        case .providerDisabled: "This way to sign in is switched off."
        case .invalidProviderAnswer: "The provider's answer does not belong to a sign-in of this browser."
        case .providerUnavailable: "The provider cannot be reached right now. Try again in a moment."
        case .signUpNotAllowed: "There is no account for this, and none can be opened this way."
        case .recentSignInRequired: "Sign in again to do this."
        case .rateLimited: "Too many tries. Wait a while."
        case .busy: "The server is busy. Try again in a moment."
        case .unavailable: "The server cannot do this right now. Try again in a moment."
        case .internalError: "Something went wrong on our side."
        }
    }
}
