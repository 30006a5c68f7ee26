using System.Text.RegularExpressions;

namespace RaftMq.Server.Tests.Admin;

/// <summary>docs/http.md lists the paths that the node serves, in the order of the source.</summary>
public sealed partial class HttpPageTests
{
    [Fact]
    public void Page_lists_every_path()
    {
        string folder = Path.Combine(DocumentTable.Root(), "src", "RaftMq.Server", "Admin");
        string[] served =
        [
            .. ((string[])["HttpFace.cs", "AdminApi.cs"]).SelectMany(file => Route().Matches(File.ReadAllText(Path.Combine(folder, file))))
                .Select(route => $"| {route.Groups["method"].Value.ToUpperInvariant()} | `{route.Groups["path"].Value.Replace(":int", "", StringComparison.Ordinal)}` |"),
        ];
        Assert.Contains("| GET | `/metrics` |", served);
        DocumentTable.CheckStarts("http.md", "paths", served);
    }

    [GeneratedRegex("""\.Map(?<method>Get|Post|Patch|Delete|Put)\("(?<path>[^"]+)""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Route();
}
