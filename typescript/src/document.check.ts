// Compiles only while our types agree with the interface in the schema document.
import { type Call, createReplyticsClient, validateCallStatus } from "./index.js";

// As the document has it; what it marks with ? is NULL in PostgreSQL and null in JSON.
interface DocumentCall {
  id: string;
  phone_id: string;
  caller_number: string;
  call_sid: string;
  status: "ringing" | "answered" | "completed" | "failed";
  duration: number;
  recording_url?: string | null;
  transcript?: string | null;
  ai_summary?: string | null;
  created_at: string;
  updated_at: string;
}

type Equal<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;

export const callFits = (call: Call): DocumentCall => call;
export const statusIsTheSame: Equal<Call["status"], DocumentCall["status"]> = true;

export const statusOf = (text: string): Call["status"] | undefined =>
  validateCallStatus(text) ? text : undefined;

export const latestCalls = async (): Promise<string[]> => {
  const client = createReplyticsClient({ baseUrl: "https://x.example", authorization: "Api-Key k" });
  const { data } = await client.GET("/api/v1/calls/", { params: { query: { limit: 20 } } });
  return (data?.results ?? []).map((call) => call.caller_number);
};
