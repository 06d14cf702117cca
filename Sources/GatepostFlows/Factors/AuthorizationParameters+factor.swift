import GatepostModel

extension AuthorizationParameters {
    /// Whether the client asks for a second factor: the first class that it names and that there is, is that one.
    ///
    /// OpenID Connect lets a provider fall short of `acr_values` (Core, section 3.1.2.1). Gatepost does not: who has no
    /// second factor sets one up on the way, so that a client may rely on what it asked for.
    var requiresFactor: Bool { self["acr_values"].flatMap(AuthenticationClass.init(preferred:)) == .twoFactors }
}
