import Crypto

/// What a device keeps that has signed in before: proof of that, for one address of one app.
///
/// It signs nobody in and proves no factor. It only gives the device tries of its own, so that whoever uses up those
/// of an address, from however many places, does not keep its owner out (the device cookie of OWASP's "Slow Down
/// Online Guessing Attacks"). A keyed hash and no row: reading one costs no statement, so an address that nobody has
/// is treated alike. It is bound to nothing that a change of password would change: all that a stolen one gives is
/// the tries of one device.
package struct DeviceToken: Sendable {
    /// The text that the device keeps.
    package let secret: Secret
    /// Tells devices of one address apart; means nothing by itself.
    package let id: String

    private static let prefix = "gdv_"
    private static let use = "known-device"
    private static let idBytes = 16
    private static let momentBytes = 8
    private static let tagBytes = 24

    /// Makes the token of a device that has just signed in.
    package static func make(
        for email: EmailAddress, in app: AppID, at now: Instant, keys: KeyRing, random: any RandomSource
    ) -> DeviceToken {
        let moment = UInt64(bitPattern: now.microseconds)
        let bytes =
            random.bytes(idBytes) + (0..<momentBytes).map { UInt8(truncatingIfNeeded: moment >> (56 - 8 * $0)) }
        let tag = tag(bytes, email, app, key: keys.currentDerivedKey(for: use))
        return DeviceToken(
            secret: Secret(prefix + Base64URL.encode(bytes + tag)), id: Base64URL.encode(bytes.prefix(idBytes)))
    }

    private init(secret: Secret, id: String) {
        (self.secret, self.id) = (secret, id)
    }

    /// Reads what a device presents; nil for anything but a token of this address in this app that is not too old.
    package init?(
        presented: Secret, for email: EmailAddress, in app: AppID, at now: Instant, keys: KeyRing
    ) {
        let text = presented.revealed
        guard text.utf8.count <= 100, text.hasPrefix(Self.prefix),
            let all = Base64URL.decode(Array(text.utf8.dropFirst(Self.prefix.utf8.count))),
            all.count == Self.idBytes + Self.momentBytes + Self.tagBytes
        else { return nil }
        let (bytes, presentedTag) = (Array(all.dropLast(Self.tagBytes)), Array(all.suffix(Self.tagBytes)))
        let isOurs = keys.epochs.contains { epoch in
            keys.derivedKey(for: Self.use, epoch: epoch).map {
                constantTimeEqual(Self.tag(bytes, email, app, key: $0), presentedTag)
            } ?? false
        }
        let moment = bytes.suffix(Self.momentBytes).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let madeAt = Instant(microseconds: Int64(bitPattern: moment))
        guard isOurs, madeAt + Lifetimes.knownDevice > now else { return nil }
        self.init(secret: presented, id: Base64URL.encode(bytes.prefix(Self.idBytes)))
    }

    private static func tag(_ bytes: [UInt8], _ email: EmailAddress, _ app: AppID, key: SymmetricKey) -> [UInt8] {
        let message = app.uuid.bytes + bytes + Array(email.canonical.utf8)
        return Array(HMAC<SHA256>.authenticationCode(for: message, using: key).prefix(tagBytes))
    }
}
