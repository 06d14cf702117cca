package import GatepostModel
package import GatepostStore

/// Gives a device that has just signed in what shows later that it has; see `DeviceToken`.
package struct KnownDevices: Sendable {
    let clock: any WallClock
    let random: any RandomSource
    let keys: KeyRing

    /// Wires it.
    package init(clock: any WallClock, random: any RandomSource, keys: KeyRing) {
        (self.clock, self.random, self.keys) = (clock, random, keys)
    }

    /// What the device keeps; to be called only once a sign-in with the address has passed.
    package func token(for email: EmailAddress, in scope: AppScope) -> Secret {
        DeviceToken.make(for: email, in: scope.appID, at: clock.now, keys: keys, random: random).secret
    }
}
