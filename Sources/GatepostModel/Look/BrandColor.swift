import Foundation

/// A colour that an admin has picked for an app's pages, and the shades of it that can be read.
///
/// WCAG 2.2 asks for a contrast of 4.5 between text and ground (1.4.3, AA). The picked colour is moved towards black on
/// light pages and towards white on dark ones until it has that, and the text on it is black or white, whichever is
/// the clearer: so no choice makes a page that somebody cannot read.
package struct BrandColor: Sendable, Hashable {
    /// The contrast that text must have with its ground.
    package static let contrastMin = 4.5
    /// What lies behind on the hosted pages, light and dark; the style sheet has the same.
    package static let lightGround = BrandColor(red: 0xFF, green: 0xFF, blue: 0xFF)
    package static let darkGround = BrandColor(red: 0x1F, green: 0x1F, blue: 0x1D)
    static let black = BrandColor(red: 0, green: 0, blue: 0)
    static let white = BrandColor(red: 0xFF, green: 0xFF, blue: 0xFF)

    let red: UInt8
    let green: UInt8
    let blue: UInt8

    init(red: UInt8, green: UInt8, blue: UInt8) {
        (self.red, self.green, self.blue) = (red, green, blue)
    }

    /// Reads `#14594c`; nil for any other form.
    package init?(_ text: String) {
        guard text.utf8.count == 7, text.hasPrefix("#"), text.utf8.dropFirst().allSatisfy(Self.isHexDigit),
            let number = UInt32(text.dropFirst(), radix: 16)
        else { return nil }
        self.init(
            red: UInt8(number >> 16), green: UInt8(number >> 8 & 0xFF), blue: UInt8(number & 0xFF))
    }

    /// As a style sheet writes it.
    package var text: String {
        "#" + [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// The contrast of two colours, 1 to 21 (WCAG 2.2, contrast ratio).
    package func contrast(with other: BrandColor) -> Double {
        let (lighter, darker) = (max(luminance, other.luminance), min(luminance, other.luminance))
        return (lighter + 0.05) / (darker + 0.05)
    }

    /// This colour, or the nearest one to it in 40 steps, that can be read on a ground.
    package func readable(on ground: BrandColor) -> BrandColor {
        let end = ground.luminance > 0.18 ? Self.black : Self.white
        return (0...40).lazy.map { mixed(with: end, Double($0) / 40) }
            .first { $0.contrast(with: ground) >= Self.contrastMin } ?? end
    }

    /// Black or white, whichever can be read better on this colour.
    package var ink: BrandColor {
        contrast(with: Self.white) >= contrast(with: Self.black) ? Self.white : Self.black
    }

    /// A little closer to its ink's opposite, for what a pointer is over: as readable as before, or more.
    package var pointedAt: BrandColor { mixed(with: ink == Self.white ? Self.black : Self.white, 0.15) }

    private func mixed(with other: BrandColor, _ share: Double) -> BrandColor {
        func mix(_ one: UInt8, _ two: UInt8) -> UInt8 {
            UInt8((Double(one) + (Double(two) - Double(one)) * share).rounded())
        }
        return BrandColor(red: mix(red, other.red), green: mix(green, other.green), blue: mix(blue, other.blue))
    }

    private var luminance: Double {
        func linear(_ part: UInt8) -> Double {
            let value = Double(part) / 255
            return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...70).contains(byte) || (97...102).contains(byte)
    }
}
