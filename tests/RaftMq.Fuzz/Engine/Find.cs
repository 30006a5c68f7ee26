using System.Globalization;
using System.Security.Cryptography;

namespace RaftMq.Fuzz.Engine;

/// <summary>An input for which something did not hold.</summary>
/// <param name="Signature">Finds of the same one are the same mistake, most likely.</param>
internal sealed record Find(string Signature, string Report, byte[] Input)
{
    public string FileName => $"{Convert.ToHexStringLower(SHA256.HashData(Input).AsSpan(0, 8))}.bin";

    public static Find Of(Exception fault, byte[] input)
    {
        // The first frame of the product, or of the check that failed; line numbers move.
        string frame = (fault.StackTrace ?? "").Split('\n')
            .Select(line => line.Trim())
            .FirstOrDefault(line => line.StartsWith("at RaftMq.", StringComparison.Ordinal) && !line.Contains("Engine.Oracle", StringComparison.Ordinal)) ?? "";
        int end = frame.IndexOf('(', StringComparison.Ordinal);
        string message = fault is OracleException ? fault.Message.Split(':')[0] : "";
        return new Find(string.Create(CultureInfo.InvariantCulture, $"{fault.GetType().Name} {(end < 0 ? frame : frame[..end])} {message}"), fault.ToString(), input);
    }
}
