import Crypto
import Foundation
import GatepostModel
import GatepostStore

/// How an app's pages look: its name, its logo, its colour.
struct PageLook: Sendable {
    let name: String
    let logo: String?
    /// The colour as the style sheet's variables; nil where the app keeps the one that ships.
    let style: String?

    init(_ app: AppRecord) {
        name = app.name
        logo = app.scope.settings.logoURL.flatMap { LogoURL($0)?.text }
        style = app.scope.settings.brandColor.flatMap { BrandColor($0) }.map(Self.style)
    }

    /// What the policy says of it: the one image, and the style by its hash.
    var styleSource: String? { style.map(Self.source(ofStyle:)) }

    /// A style as a policy names it.
    static func source(ofStyle text: String) -> String {
        "'sha256-\(Data(SHA256.hash(data: Data(text.utf8))).base64EncodedString())'"
    }

    /// Shades that can be read, on light pages and on dark ones.
    private static func style(_ picked: BrandColor) -> String {
        func variables(_ color: BrandColor) -> String {
            ":root{--accent:\(color.text);--accent-hover:\(color.pointedAt.text);--on-accent:\(color.ink.text)}"
        }
        return variables(picked.readable(on: .lightGround))
            + "@media (prefers-color-scheme:dark){\(variables(picked.readable(on: .darkGround)))}"
    }
}
