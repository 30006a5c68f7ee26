using System.Globalization;

namespace RaftMq.Fuzz.Coverage;

/// <summary>Where a branch lies. It crosses from the context that writes the probes to the one that runs them as a text.</summary>
/// <param name="Type">Full name; nested types behind a slash.</param>
/// <param name="Method">The name as compiled.</param>
/// <param name="File">Without folders; empty where the compiler made it up.</param>
/// <param name="Arm">Which way: "entry", "yes", "no", or the case of a switch.</param>
internal sealed record BranchInfo(string Type, string Method, string File, int Line, string Arm)
{
    private const char Separator = '\t';

    public static BranchInfo Parse(string text)
    {
        string[] parts = text.Split(Separator);
        return new BranchInfo(parts[0], parts[1], parts[2], int.Parse(parts[3], CultureInfo.InvariantCulture), parts[4]);
    }

    public string ToText() => string.Create(CultureInfo.InvariantCulture, $"{Type}{Separator}{Method}{Separator}{File}{Separator}{Line}{Separator}{Arm}");
}
