using System.Text;
using System.Text.Json;

namespace RaftMq.Server.Configuration;

/// <summary>The text of a configuration file, and what is wrong with it where it is no JSON.</summary>
internal static class ConfigurationFile
{
    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>Without the mark that some editors put before it.</summary>
    public static byte[] Read(string path)
    {
        byte[] text = File.ReadAllBytes(path);
        return text.AsSpan().StartsWith(ByteOrderMark) ? text[ByteOrderMark.Length..] : text;
    }

    /// <summary>Line and column, both counted from 1, and what stands there: the end of a sentence.</summary>
    public static string Describe(byte[] text, JsonException fault)
    {
        int line = (int)(fault.LineNumber ?? 0);
        int from = LineStart(text, line);
        int at = Math.Min(from + (int)(fault.BytePositionInLine ?? 0), text.Length);
        int column = Encoding.UTF8.GetCharCount(text.AsSpan(from, at - from)) + 1;
        return $"line {line + 1}, column {column}: {WhatAt(text, at)}";
    }

    private static int LineStart(byte[] text, int line)
    {
        int start = 0;
        for (; line > 0; line--)
        {
            int end = Array.IndexOf(text, (byte)'\n', start);
            if (end < 0)
            {
                break;
            }

            start = end + 1;
        }

        return start;
    }

    private static string WhatAt(byte[] text, int at)
    {
        if (at == text.Length)
        {
            return "it ends before everything in it is closed";
        }

        if (text[at] is (byte)'\n' or (byte)'\r')
        {
            return "a text is not closed before its line ends";
        }

        Rune.DecodeFromUtf8(text.AsSpan(at), out Rune found, out _);
        ReadOnlySpan<byte> read = text.AsSpan(0, at).TrimEnd(" \t\r\n"u8);
        char before = read.IsEmpty ? ' ' : (char)read[^1];
        string hint = found.Value is '"' or '{' or '[' && (before is '"' or '}' or ']' || char.IsAsciiLetterOrDigit(before))
            ? "; a comma is missing before it"
            : before is '{' or ',' or ':' && (found.Value == '\'' || Rune.IsLetter(found))
                ? "; names and texts stand in double quotes"
                : "";
        return $"'{found}' can't stand there{hint}";
    }
}
