/// Why a token is refused.
///
/// More reasons may come; a `switch` needs a `default`.
public enum TokenRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    /// No signed token: not three parts, not JSON, too long, or without a claim that it must have.
    case malformed
    /// Another kind of token, such as an ID token; what its header says it is.
    case wrongType(String)
    /// Signed with anything but ES256, or with a header that asks for something unknown.
    case wrongAlgorithm(String)
    /// Another issuer's.
    case wrongIssuer(String)
    /// For somebody else, though the issuer is right.
    case wrongAudience
    /// Of another app of the same Gatepost.
    case wrongApp(String)
    /// Given to a client of a third party's, and the verifier is not told to accept these.
    case thirdParty
    /// Its end, in seconds since 1970, is past.
    case expired(at: Int64)
    /// Issued in the future: a clock is wrong.
    case notYetIssued(at: Int64)
    /// The issuer has no such key, or has it no more.
    case unknownKey(String)
    /// The signature is not that of the key that it names.
    case badSignature

    /// For people: in a log, and in the answer to whoever sent the token.
    public var description: String {
        switch self {
        case .malformed: "this is no access token of Gatepost's"
        case .wrongType: "this is another kind of token"
        case .wrongAlgorithm: "the token is not signed with ES256"
        case .wrongIssuer: "the token is another issuer's"
        case .wrongAudience: "the token is not for this app"
        case .wrongApp: "the token is another app's"
        case .thirdParty: "the token was given to a third party"
        case .expired: "the token has expired"
        case .notYetIssued: "the token was issued in the future"
        case .unknownKey: "the issuer has no such key, or has it no more"
        case .badSignature: "the signature is not the issuer's"
        }
    }
}
