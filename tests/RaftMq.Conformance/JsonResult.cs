using System.Text.Json;

namespace RaftMq.Conformance;

/// <summary>Reads a client's result by name; a missing name fails with the whole result in the message.</summary>
internal static class JsonResult
{
    public static int Int(this JsonElement result, string name) => Get(result, name).GetInt32();

    public static double Number(this JsonElement result, string name) => Get(result, name).GetDouble();

    public static bool Bool(this JsonElement result, string name) => Get(result, name).GetBoolean();

    public static string? Text(this JsonElement result, string name) =>
        Get(result, name) is { ValueKind: not JsonValueKind.Null } value ? value.ToString() : null;

    public static string[] Texts(this JsonElement result, string name) => [.. Get(result, name).EnumerateArray().Select(one => one.ToString())];

    public static bool[] Bools(this JsonElement result, string name) => [.. Get(result, name).EnumerateArray().Select(one => one.GetBoolean())];

    public static int[] Ints(this JsonElement result, string name) => [.. Get(result, name).EnumerateArray().Select(one => one.GetInt32())];

    private static JsonElement Get(JsonElement result, string name) =>
        result.TryGetProperty(name, out JsonElement value) ? value : throw new KeyNotFoundException($"there is no '{name}' in {result}");
}
