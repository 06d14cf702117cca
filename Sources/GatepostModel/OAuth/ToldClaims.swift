/// What a token may say of its user by the app's settings.
package struct ToldClaims: Sendable, Hashable {
    /// Nothing.
    package static let none = ToldClaims(roles: nil, own: .none, settings: AppSettings())

    private let roles: RoleClaims?
    private let own: CustomClaims
    private let settings: AppSettings

    /// Gathers what was read.
    package init(roles: RoleClaims?, own: CustomClaims, settings: AppSettings) {
        (self.roles, self.own, self.settings) = (roles, own, settings)
    }

    /// The roles that are told in one place; nil where none are.
    package func roles(in place: ClaimPlace) -> RoleClaims? { settings.tellsRoles(in: place) ? roles : nil }

    /// The claims that are told in one place.
    package func own(in place: ClaimPlace) -> CustomClaims { own.told(in: place, by: settings) }
}
