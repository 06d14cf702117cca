import Passwords
import Testing

@Suite("Password policy")
struct PasswordPolicyTests {
    private let policy = PasswordPolicy()

    @Test(arguments: [
        "a walk along the river", "zwölf graue Elefanten", "Tr0mpete-Kirsche-94x", "密码是一个很长的句子没有人知道它",
        "🦔🦊🐢🦉🐝🦋🐙🦀🐳🦜🦩🐈🐕🦌🐇", "lavender otter ninety",
    ])
    func `a long password that nobody else uses is taken`(password: String) {
        #expect(policy.weakness(of: password) == nil)
    }

    @Test func `length is counted in code points and has a floor of eight`() {
        #expect(policy.weakness(of: "fourteen chars") == .tooShort(lengthMin: 15))
        #expect(policy.weakness(of: "e\u{301}" + " twelve chars") == .tooShort(lengthMin: 15))
        #expect(PasswordPolicy(lengthMin: 3).lengthMin == 8)
        #expect(PasswordPolicy(lengthMin: 8).weakness(of: "vq7 fjord") == nil)
    }

    @Test func `1024 bytes are taken and not one more`() {
        let words = String(repeating: "lavender otter ninety ", count: 60)
        let longest = "x1" + words.dropLast(words.count - 1021) + "q"
        #expect(longest.utf8.count == 1024)
        #expect(policy.weakness(of: longest) == nil)
        #expect(policy.weakness(of: longest + "r") == .tooLong)
    }

    @Test(arguments: [
        "aaaaaaaaaaaaaaaaaaaa", "abcabcabcabcabcabc", "123456789012345678", "abcdefghijklmnopqr", "qwertyuiopasdfghj",
        "98765432109876543", "               ", "11112222333344445",
    ])
    func `repetition and runs are refused`(password: String) {
        let weakness = policy.weakness(of: password)
        #expect(weakness == .repetitive || weakness == .common)
    }

    @Test(arguments: [
        "correct horse battery staple", "Correct-Horse" + "BatteryStaple", "thequickbrownfox!!", "PasswordPassword1",
        "password1234567", "Welcome2026Welcome!", "administrator12345", "iloveyouforever", "Summer2026Winter",
        "manchesterunited", "Manchester United 1999!", "P@ssw0rd-Dr4gon-2026", "1etmein-m0nkey-2026",
        "pässwörtpässwört2",
        "Ｐａｓｓｗｏｒｄ１２３４５６７８", "telecommunications", "qazwsxedcrfvtgb", "dragon.dragon.monkey", "liverpool-01.01.1990",
        "monday tuesday friday", "1q2w3e4r5t6y7u8i9o", "st4rw4rs-st4rw4rs-9",
    ])
    func `what attackers try first is refused`(password: String) {
        #expect(policy.weakness(of: password.replacing("-", with: "")) == .common)
    }

    @Test(arguments: [
        "dragon river otter kite", "telecommunications by carrier dove", "password managers hum at dusk",
        "lavender otter 4071 2290 6683 9514", "manchester is united in rain",
    ])
    func `frequent words among others are taken`(password: String) {
        #expect(policy.weakness(of: password) == nil)
    }

    @Test func `a long password is looked at in a moment, whatever it is made of`() {
        let pieces = ["dragon", "monkey", "river", "otter", "master", "shadow", "seven", "united", "amber"]
        let long = (0..<100).map { pieces[$0 * $0 % 9] + pieces[$0 % 9] }.joined().prefix(1024)
        #expect(policy.weakness(of: String(long)) == nil)
        #expect(policy.weakness(of: String(long.prefix(96))) == nil)
    }

    @Test func `the address and the app's name make no password`() {
        let context = ["lovelace", "example", "Wonder Shop"]
        #expect(policy.weakness(of: "L0velace + Dragon 77", context: context) == .resemblesContext)
        #expect(policy.weakness(of: "lovelaceexample1", context: context) == .resemblesContext)
        #expect(policy.weakness(of: "wondershop-2026-!!", context: context) == .resemblesContext)
        #expect(policy.weakness(of: "lovelace walks slowly", context: context) == nil)
    }

    @Test func `control characters are refused`() {
        #expect(policy.weakness(of: "a walk along\u{7} the river") == .unprintable)
        #expect(policy.weakness(of: "a walk along\0 the river") == .unprintable)
    }

    @Test func `one letter composed in two ways is one password, two letters that look alike are two`() {
        #expect(PasswordPolicy.bytes(of: "caf\u{E9}") == PasswordPolicy.bytes(of: "cafe\u{301}"))
        #expect(PasswordPolicy.bytes(of: "①") != PasswordPolicy.bytes(of: "1"))
        #expect(PasswordPolicy.bytes(of: "A") != PasswordPolicy.bytes(of: "a"))
        #expect(PasswordPolicy.bytes(of: " a ") == [0x20, 0x61, 0x20])
    }
}
